import Glibc

/// The operating system's words for the error number that a call has just left.
enum SystemError {
    static var words: String { words(for: errno) }

    static func words(for number: Int32) -> String {
        "\(String(cString: strerror(number))) (errno \(number))."
    }
}
