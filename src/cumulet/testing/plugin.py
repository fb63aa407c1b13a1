"""A pytest plugin: the fixture `cumulet` is a running platform with a virtual clock."""
