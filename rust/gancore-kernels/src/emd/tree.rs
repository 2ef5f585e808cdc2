//! The spanning tree: parents, sizes of subtrees, and a preorder thread through all nodes.
//!
//! The nodes of a subtree are a contiguous piece of the thread, so a pivot moves a subtree by relinking pieces along
//! the path between its old and its new root, and shifts potentials by walking one piece (Bradley, Brown and Graves
//! 1977). The flow of a tree arc is kept at its lower end.

use super::flow::Flow;

/// No node.
pub const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    /// Nodes of the subtree, this one included.
    size: u32,
    /// The last node of the subtree in the thread.
    last: u32,
}

/// An arc of the tree.
#[derive(Debug, Clone, Copy)]
pub struct Arc<F> {
    pub row: u32,
    pub column: u32,
    pub flow: F,
}

/// A spanning tree of rows 0..n and columns n..n + m; nodes without mass stay outside.
#[derive(Debug)]
pub struct Tree<F> {
    n: u32,
    count: u32,
    nodes: Vec<Node>,
    /// The thread, a ring.
    next: Vec<u32>,
    previous: Vec<u32>,
    flow: Vec<F>,
}

/// The arc that leaves the tree when one enters.
#[derive(Debug, Clone, Copy)]
pub struct Leaving<F> {
    /// Its lower end: the root of the subtree that moves.
    node: u32,
    /// The node at which the cycle's two branches meet.
    join: u32,
    /// Whether the subtree holds the row of the entering arc.
    holds_row: bool,
    /// How much flow moves around the cycle.
    flow: F,
}

impl<F: Flow> Tree<F> {
    /// Hang a spanning tree, given by its arcs, at a root. The visitor is told each node with its parent, in preorder.
    pub fn hang(n: usize, m: usize, arcs: &[Arc<F>], root: u32, mut visit: impl FnMut(u32, u32)) -> Self {
        let (ends, neighbours) = neighbours(n, m, arcs);
        let blank = Node { parent: NONE, size: 1, last: NONE };
        let mut tree = Self {
            n: n as u32,
            count: arcs.len() as u32 + 1,
            nodes: vec![blank; n + m],
            next: vec![NONE; n + m],
            previous: vec![NONE; n + m],
            flow: vec![F::ZERO; n + m],
        };
        let mut order = Vec::with_capacity(arcs.len() + 1);
        let mut stack = vec![root];
        while let Some(node) = stack.pop() {
            let at = node as usize;
            let parent = tree.nodes[at].parent;
            visit(node, parent);
            order.push(node);
            for &(other, arc) in &neighbours[ends[at]..ends[at + 1]] {
                if other != parent {
                    tree.nodes[other as usize].parent = node;
                    tree.flow[other as usize] = arcs[arc as usize].flow;
                    stack.push(other);
                }
            }
        }
        for (k, &node) in order.iter().enumerate() {
            tree.link(order[if k == 0 { order.len() - 1 } else { k - 1 }], node);
        }
        for &node in order.iter().rev() {
            let Node { parent, size, mut last, .. } = tree.nodes[node as usize];
            if last == NONE {
                last = node;
                tree.nodes[node as usize].last = node;
            }
            if let Some(above) = tree.nodes.get_mut(parent as usize) {
                above.size += size;
                // Children come in reverse: the first of them seen is the last of the thread.
                if above.last == NONE {
                    above.last = last;
                }
            }
        }
        tree
    }

    /// The arcs of the tree.
    pub fn arcs(&self) -> Vec<Arc<F>> {
        let lower = (0..self.nodes.len() as u32).filter(|&x| self.nodes[x as usize].parent != NONE);
        lower
            .map(|x| {
                let (parent, flow) = (self.nodes[x as usize].parent, self.flow[x as usize]);
                let (row, column) = if x < self.n { (x, parent) } else { (parent, x) };
                Arc { row, column: column - self.n, flow }
            })
            .collect()
    }

    fn link(&mut self, before: u32, after: u32) {
        self.next[before as usize] = after;
        self.previous[after as usize] = before;
    }

    /// The arc that must leave for the arc row -> column to enter: on the cycle that it closes, the one of least flow
    /// among those that flow the other way. The perturbation leaves no ties.
    pub fn leaving(&self, row: u32, column: u32) -> Leaving<F> {
        let (mut x, mut y) = (row, column);
        let mut leaving = Leaving { node: NONE, join: NONE, holds_row: false, flow: F::MAX };
        while x != y {
            let (node_x, node_y) = (self.nodes[x as usize], self.nodes[y as usize]);
            // The smaller subtree cannot hold the other end, so it lies below the join.
            if node_x.size < node_y.size {
                if x < self.n && self.flow[x as usize] < leaving.flow {
                    leaving = Leaving { node: x, holds_row: true, flow: self.flow[x as usize], ..leaving };
                }
                x = node_x.parent;
            } else {
                if y >= self.n && self.flow[y as usize] < leaving.flow {
                    leaving = Leaving { node: y, holds_row: false, flow: self.flow[y as usize], ..leaving };
                }
                y = node_y.parent;
            }
        }
        leaving.join = x;
        leaving
    }

    /// Send the flow around the cycle.
    fn send(&mut self, row: u32, column: u32, leaving: Leaving<F>) {
        for (from, falls_at_rows) in [(row, true), (column, false)] {
            let mut x = from;
            while x != leaving.join {
                let flow = &mut self.flow[x as usize];
                *flow = if (x < self.n) == falls_at_rows {
                    flow.minus(leaving.flow)
                } else {
                    flow.plus(leaving.flow)
                };
                x = self.nodes[x as usize].parent;
            }
        }
    }

    /// Exchange the leaving arc for the entering one, and shift the potentials so that it prices to zero.
    pub fn pivot(
        &mut self,
        row: u32,
        column: u32,
        leaving: Leaving<F>,
        reduced: f64,
        potentials: &mut [f64],
    ) {
        self.send(row, column, leaving);
        let (inner, outer) = if leaving.holds_row { (row, column) } else { (column, row) };
        self.detach(leaving.node, leaving.join);
        let end = self.turn(inner, leaving.node);
        self.flow[inner as usize] = leaving.flow;
        self.attach(inner, end, outer, leaving.join);
        let shift = if leaving.holds_row { reduced } else { -reduced };
        self.shift(inner, shift, potentials);
    }

    /// Take a subtree out of the thread, and out of the sizes below `join`.
    fn detach(&mut self, root: u32, join: u32) {
        let Node { parent, size, last } = self.nodes[root as usize];
        let previous = self.previous[root as usize];
        let after = self.next[last as usize];
        self.link(previous, after);
        let mut x = parent;
        while x != join {
            self.nodes[x as usize].size -= size;
            x = self.nodes[x as usize].parent;
        }
        let mut x = parent;
        while let Some(node) = self.nodes.get_mut(x as usize).filter(|node| node.last == last) {
            node.last = previous;
            x = node.parent;
        }
    }

    /// Turn a subtree, out of the thread, so that `root` is its root instead of `old`. Returns its last node.
    fn turn(&mut self, root: u32, old: u32) -> u32 {
        let whole = self.nodes[old as usize].size;
        let mut x = root;
        let Node { mut parent, mut size, last: mut x_last } = self.nodes[x as usize];
        let mut previous = self.previous[x as usize];
        let mut end = x_last;
        // What follows the piece of x; read before relinking overwrites it.
        let mut after = self.next[x_last as usize];
        let mut flow = self.flow[x as usize];
        self.nodes[x as usize].size = whole;
        while x != old {
            // The old parent follows as the last child, without the piece that this branch took from its subtree.
            let up = parent;
            let (above, before) = (self.nodes[up as usize], self.previous[up as usize]);
            self.link(end, up);
            if above.last == x_last {
                end = previous;
            } else {
                self.link(previous, after);
                end = above.last;
                after = self.next[end as usize];
            }
            self.nodes[up as usize].size = whole - size;
            self.nodes[up as usize].parent = x;
            std::mem::swap(&mut self.flow[up as usize], &mut flow);
            (x, parent, size, x_last, previous) = (up, above.parent, above.size, above.last, before);
        }
        // Every node on the way now has the last of the whole for its last.
        loop {
            self.nodes[x as usize].last = end;
            if x == root {
                return end;
            }
            x = self.nodes[x as usize].parent;
        }
    }

    /// Put a subtree into the thread as the first child of `parent`.
    fn attach(&mut self, root: u32, end: u32, parent: u32, join: u32) {
        let after = self.next[parent as usize];
        self.link(parent, root);
        self.link(end, after);
        self.nodes[root as usize].parent = parent;
        let size = self.nodes[root as usize].size;
        let mut x = parent;
        while x != join {
            self.nodes[x as usize].size += size;
            x = self.nodes[x as usize].parent;
        }
        let mut x = parent;
        while let Some(node) = self.nodes.get_mut(x as usize).filter(|node| node.last == parent) {
            node.last = end;
            x = node.parent;
        }
    }

    /// Shift the potentials of a subtree, or those of all others the other way, whichever is less work.
    fn shift(&self, root: u32, by: f64, potentials: &mut [f64]) {
        let Node { size, last, .. } = self.nodes[root as usize];
        let (mut x, mut y, count, by) = if 2 * size <= self.count {
            (root, last, size, by)
        } else {
            (self.next[last as usize], self.previous[root as usize], self.count - size, -by)
        };
        // From both ends at once: each step waits for the one before, and two chains wait side by side.
        for _ in 0..count / 2 {
            potentials[x as usize] += by;
            potentials[y as usize] += by;
            (x, y) = (self.next[x as usize], self.previous[y as usize]);
        }
        if count % 2 == 1 {
            potentials[x as usize] += by;
        }
    }
}

/// Neighbours of each node with the arcs to them, node after node, and where those of each end.
fn neighbours<F: Flow>(n: usize, m: usize, arcs: &[Arc<F>]) -> (Vec<usize>, Vec<(u32, u32)>) {
    let mut ends = vec![0_usize; n + m + 1];
    for arc in arcs {
        ends[arc.row as usize + 1] += 1;
        ends[n + arc.column as usize + 1] += 1;
    }
    for node in 0..n + m {
        ends[node + 1] += ends[node];
    }
    let mut at = ends.clone();
    let mut neighbours = vec![(NONE, NONE); 2 * arcs.len()];
    for (index, arc) in arcs.iter().enumerate() {
        let (row, column) = (arc.row, n as u32 + arc.column);
        for (from, to) in [(row, column), (column, row)] {
            neighbours[at[from as usize]] = (to, index as u32);
            at[from as usize] += 1;
        }
    }
    (ends, neighbours)
}
