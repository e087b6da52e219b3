/// Names from outside that become names of files.
enum PlainName {
    /// Whether a relative path stays in its folder, on Windows as well, and means one thing only.
    static func isRelativePath(_ path: String) -> Bool {
        path.utf8.count <= 1024
            && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                isFileName(String($0))
            }
    }

    /// Whether a name is that of one file in a folder.
    static func isFileName(_ name: String) -> Bool {
        !name.isEmpty && name != "." && name != ".." && name.utf8.count <= 255
            && name.utf8.allSatisfy {
                $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "\\")
            }
    }
}

/// A text from outside as an error shows it: in quotes, control characters escaped, cut where long.
func quoted(_ text: String) -> String {
    let limit = 200
    let shown = String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit)))
    return shown.debugDescription + (text.unicodeScalars.count > limit ? "…" : "")
}
