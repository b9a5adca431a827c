"""What is not tried, why and until when: the circuit breaker and its probes. Imports operations, limits and below."""
