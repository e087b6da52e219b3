import Glibc

/// What the operating system says about the call that failed last on this thread.
func lastSystemError() -> String {
    String(cString: strerror(errno))
}
