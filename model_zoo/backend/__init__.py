"""What depends on TensorFlow or JAX."""
