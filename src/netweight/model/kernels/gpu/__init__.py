"""The Triton kernels: what runs on a CUDA device, and under Triton's interpreter on none."""
