"""What every layer stands on: time, ids, ARNs, errors, configuration, metrics, quotas, the request context."""
