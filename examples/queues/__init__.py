"""Orders through queues."""
