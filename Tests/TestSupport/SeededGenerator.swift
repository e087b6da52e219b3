import Torch

/// A generator that gives the same numbers in every run.
public typealias SeededGenerator = SplitMix64
