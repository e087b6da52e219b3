/// The version of this package, as in `pyproject.toml`.
public let packageVersion = "0.1.0"
