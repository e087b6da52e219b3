import Glibc
import Hub

// Fetches a model as its arguments say and prints the folder; an error goes to standard error, with
// status 1. As `hub-fetch-for-tests ID [PARTS]`.

// A limit on the size of files is an error as any other, where tests set one.
signal(SIGXFSZ, SIG_IGN)

do {
    let arguments = CommandLine.arguments.dropFirst()
    guard let id = arguments.first else { exit(2) }
    let parts: HubParts = arguments.contains("autoencoder") ? .autoencoder : .wholeModel
    print(try HubClient().snapshot(of: id, parts: parts))
} catch {
    let text = Array("\(error)\n".utf8)
    write(STDERR_FILENO, text, text.count)
    exit(1)
}
