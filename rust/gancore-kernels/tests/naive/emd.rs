//! Every way of pairing units of mass, tried one after the other.

/// Least cost of a one-to-one pairing of the units of integer masses.
pub fn cost(a: &[usize], b: &[usize], cost: &[f64]) -> f64 {
    let units = |masses: &[usize]| -> Vec<usize> {
        masses.iter().enumerate().flat_map(|(atom, &mass)| vec![atom; mass]).collect()
    };
    best(&units(a), &mut units(b), b.len(), cost)
}

fn best(rows: &[usize], columns: &mut Vec<usize>, m: usize, cost: &[f64]) -> f64 {
    let Some((&row, rest)) = rows.split_first() else { return 0.0 };
    let mut least = f64::INFINITY;
    for k in 0..columns.len() {
        let column = columns.swap_remove(k);
        least = least.min(cost[row * m + column] + best(rest, columns, m, cost));
        columns.push(column);
        let last = columns.len() - 1;
        columns.swap(k, last);
    }
    least
}
