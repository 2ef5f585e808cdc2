"""Torch twins of the compiled kernels: the same functions for CUDA tensors, and with gradients."""
