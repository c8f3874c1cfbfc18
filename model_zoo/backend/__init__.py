"""Code that depends on the backend, TensorFlow or JAX."""
