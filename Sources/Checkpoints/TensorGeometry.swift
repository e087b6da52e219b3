import Torch

/// Shape and strides that a file claims, checked before anything is computed with them.
///
/// Files may claim anything; every product and sum here is nil rather than wrong.
enum TensorGeometry {
    /// libtorch's iterators go no further.
    static let maximumRank = 64
    /// In bytes; libtorch counts the bytes of a tensor too.
    private static let largestElement = 8

    /// Number of elements, or nil if a size is negative, the rank too large, or the number of bytes
    /// no `Int`.
    ///
    /// Sizes of 0 do not excuse the other ones: `[0, 2⁶²]` is nil, as libtorch has it.
    static func elementCount(of shape: [Int]) -> Int? {
        guard shape.count <= maximumRank, shape.allSatisfy({ $0 >= 0 }),
            product(shape.map { max($0, 1) } + [largestElement]) != nil
        else { return nil }
        return shape.contains(0) ? 0 : product(shape)
    }

    /// Number of elements from the first to the last one in memory, or nil if there is none, a
    /// stride is negative, or the number no `Int`.
    static func reach(shape: [Int], strides: [Int]) -> Int? {
        guard shape.count == strides.count else { return nil }
        var last = 0
        for (size, stride) in zip(shape, strides) {
            guard size > 0, stride >= 0 else { return nil }
            guard let step = product([size - 1, stride]), let sum = sum(last, step) else {
                return nil
            }
            last = sum
        }
        return sum(last, 1)
    }

    static func product(_ factors: [Int]) -> Int? {
        var result = 1
        for factor in factors {
            let (product, overflow) = result.multipliedReportingOverflow(by: factor)
            guard !overflow else { return nil }
            result = product
        }
        return result
    }

    static func sum(_ a: Int, _ b: Int) -> Int? {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? nil : sum
    }
}
