"""Any number of made-up resources, generated when asked for: organisations and benchmarks, without moto's slowness."""
