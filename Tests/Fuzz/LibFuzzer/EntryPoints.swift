import Glibc

// What libFuzzer calls; its `main` is in the runtime that `-sanitize=fuzzer` links.

/// The target that `FUZZ_TARGET` names.
private let target: FuzzTarget = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        print("FUZZ_TARGET must be one of", FuzzTarget.all.map(\.name).joined(separator: " "))
        exit(2)
    }
    return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    if let fault = target.fault(on: UnsafeRawBufferPointer(start: start, count: count)) {
        print(fault)
        abort()
    }
    return 0
}
