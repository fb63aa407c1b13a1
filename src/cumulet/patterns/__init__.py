"""The event pattern language of EventBridge, which rules, pipes and event source mappings' filters share."""

from cumulet.patterns.compiler import compile_pattern as compile
from cumulet.patterns.errors import PatternError
from cumulet.patterns.pattern import Pattern

__all__ = ["Pattern", "PatternError", "compile"]
