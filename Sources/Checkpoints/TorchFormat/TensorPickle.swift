import Torch

/// The pickle of one bare tensor, as `torch.save` describes it, without the memo that it never
/// uses: `_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`.
enum TensorPickle {
    /// - Parameter shape: of a contiguous tensor that fills the storage "0".
    static func bytes(shape: [Int], dtype: DType) -> [UInt8] {
        var pickle = Builder()
        pickle.add(.proto, [2])
        pickle.global(.rebuildTensor)
        pickle.add(.mark)

        pickle.add(.mark)
        pickle.string("storage")
        pickle.global(.storage(dtype))
        pickle.string("0")
        pickle.string("cpu")
        pickle.integer(shape.reduce(1, *))
        pickle.add(.tuple)
        pickle.add(.binpersid)

        pickle.integer(0)
        pickle.tuple(shape)
        pickle.tuple(Tensor.contiguousStrides(of: shape))
        pickle.add(.newFalse)
        pickle.global(.orderedDict)
        pickle.add(.emptyTuple)
        pickle.add(.reduce)

        pickle.add(.tuple)
        pickle.add(.reduce)
        pickle.add(.stop)
        return pickle.bytes
    }

    private struct Builder {
        var bytes: [UInt8] = []

        mutating func add(_ opcode: PickleOpcode, _ argument: [UInt8] = []) {
            bytes.append(opcode.rawValue)
            bytes.append(contentsOf: argument)
        }

        mutating func global(_ global: PickleGlobal) {
            add(.global, Array("\(global.module)\n\(global.name)\n".utf8))
        }

        mutating func string(_ text: String) {
            add(.binunicode, littleEndian(UInt32(truncatingIfNeeded: text.utf8.count)) + text.utf8)
        }

        mutating func integer(_ number: Int) {
            if let byte = UInt8(exactly: number) {
                add(.binint1, [byte])
            } else if let short = UInt16(exactly: number) {
                add(.binint2, littleEndian(short))
            } else if let int = Int32(exactly: number) {
                add(.binint, littleEndian(int))
            } else {
                add(.long1, [8] + littleEndian(Int64(number)))
            }
        }

        mutating func tuple(_ numbers: [Int]) {
            guard !numbers.isEmpty else { return add(.emptyTuple) }
            add(.mark)
            numbers.forEach { integer($0) }
            add(.tuple)
        }
    }
}

/// A number's bytes, lowest first.
func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
}
