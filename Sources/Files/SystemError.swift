import Glibc

/// The operating system's words for what a call on this thread has just failed with.
public enum SystemError {
    public static var words: String { String(cString: strerror(errno)) }
}
