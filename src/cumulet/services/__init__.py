"""The AWS services, one folder each. They never import each other."""
