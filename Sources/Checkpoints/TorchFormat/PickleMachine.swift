/// Runs a pickle under the policy of `PicklePolicy.swift`.
///
/// Pickles are programs for a stack machine, and Python's can call anything. This one knows a
/// table of opcodes and a table of names; it answers to `torch/_weights_only_unpickler.py`, with
/// less allowed. Every opcode adds to memory at most in proportion to the bytes it takes from the
/// pickle, so the pickle's size bounds the memory.
struct PickleMachine {
    /// What the pickle built, and the places that it refers to.
    struct Output {
        let value: PickleValue
        let heap: PickleHeap
    }

    private let path: String
    private let recordName: String
    /// The size in bytes of the record that holds a storage, by the storage's key.
    private let recordSize: (String) -> Int?

    private var reader: ByteReader
    private var opcodeOffset = 0
    private var stack: [PickleValue] = []
    /// The height of the stack at each MARK.
    private var marks: [Int] = []
    private var memo: [UInt32: PickleValue] = [:]
    private var heap = PickleHeap()
    /// The first storage of each key.
    private var storages: [String: Int] = [:]
    /// The numbers of each tuple that was a shape or strides: tensors may share one.
    private var numbers: [Int: [Int]] = [:]

    /// - Throws: `CheckpointError.malformed` or `.refused`, with the byte of the opcode.
    static func run(
        _ pickle: UnsafeRawBufferPointer, path: String, recordName: String,
        recordSize: @escaping (String) -> Int?
    ) throws -> Output {
        var machine = PickleMachine(
            path: path, recordName: recordName, recordSize: recordSize, reader: ByteReader(pickle))
        return try machine.run()
    }

    private init(
        path: String, recordName: String, recordSize: @escaping (String) -> Int?, reader: ByteReader
    ) {
        self.path = path
        self.recordName = recordName
        self.recordSize = recordSize
        self.reader = reader
    }

    private mutating func run() throws -> Output {
        while true {
            opcodeOffset = reader.position
            let byte: UInt8 = try read { $0.integer() }
            guard let opcode = PickleOpcode(rawValue: byte) else {
                throw refused("The opcode 0x\(String(byte, radix: 16)) is not allowed.")
            }
            if opcode == .stop { return Output(value: try pop(), heap: heap) }
            try execute(opcode)
        }
    }

    private mutating func execute(_ opcode: PickleOpcode) throws {
        switch opcode {
        case .proto:
            let version: UInt8 = try read { $0.integer() }
            guard version == 2 else {
                throw refused("Protocol \(version) is not torch's, which is 2.")
            }
        case .stop: break

        case .mark: marks.append(stack.count)
        case .binput: memo[UInt32(try read { $0.integer(UInt8.self) })] = try top()
        case .longBinput: memo[try read { $0.integer() }] = try top()
        case .binget: stack.append(try recall(UInt32(try read { $0.integer(UInt8.self) })))
        case .longBinget: stack.append(try recall(try read { $0.integer() }))

        case .none: stack.append(.none)
        case .newTrue: stack.append(.bool(true))
        case .newFalse: stack.append(.bool(false))
        case .binint: stack.append(.int(Int(try read { $0.integer(Int32.self) })))
        case .binint1: stack.append(.int(Int(try read { $0.integer(UInt8.self) })))
        case .binint2: stack.append(.int(Int(try read { $0.integer(UInt16.self) })))
        case .long1: stack.append(.int(try long(length: Int(try read { $0.integer(UInt8.self) }))))
        case .binfloat:
            let bits = UInt64(bigEndian: try read { $0.integer() })
            stack.append(.float(Double(bitPattern: bits)))
        case .binunicode:
            let length: UInt32 = try read { $0.integer() }
            stack.append(.string(try read { $0.text(Int(length)) }))
        case .shortBinstring:
            let length: UInt8 = try read { $0.integer() }
            stack.append(.string(try read { $0.text(Int(length)) }))

        case .emptyTuple: stack.append(heap.tuple([]))
        case .tuple: try pushTuple(popToMark())
        case .tuple1: try pushTuple(pop(1))
        case .tuple2: try pushTuple(pop(2))
        case .tuple3: try pushTuple(pop(3))
        case .emptyList: stack.append(heap.emptyList())
        case .append: try extendList(pop(1))
        case .appends: try extendList(popToMark())
        case .emptyDict: stack.append(heap.emptyDictionary())
        case .setitem: try extendDictionary(pop(2))
        case .setitems: try extendDictionary(popToMark())

        case .global: try pushGlobal()
        case .reduce: try reduce()
        case .build: try build()
        case .binpersid: try pushStorage()
        }
    }
}

// MARK: - The stack

extension PickleMachine {
    /// What the opcode needs and the pickle does not have ends it.
    private mutating func read<Value>(_ body: (inout ByteReader) -> Value?) throws -> Value {
        guard let value = body(&reader) else {
            throw malformed("The pickle ends too early, or a text in it is not valid UTF-8.")
        }
        return value
    }

    /// The last `count` values; none from below the last mark.
    private mutating func pop(_ count: Int) throws -> [PickleValue] {
        guard stack.count - (marks.last ?? 0) >= count else {
            throw malformed("The opcode needs \(count) values, and fewer are on the stack.")
        }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func pop() throws -> PickleValue {
        let value = try top()
        stack.removeLast()
        return value
    }

    private func top() throws -> PickleValue {
        guard let value = stack.last, stack.count > marks.last ?? 0 else {
            throw malformed("The opcode needs a value, and the stack is empty.")
        }
        return value
    }

    private mutating func popToMark() throws -> [PickleValue] {
        guard let mark = marks.popLast() else {
            throw malformed("The opcode needs a mark, and none is on the stack.")
        }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    private func recall(_ index: UInt32) throws -> PickleValue {
        guard let value = memo[index] else {
            throw malformed("Place \(index) of the memo is empty.")
        }
        return value
    }

    private mutating func pushTuple(_ elements: [PickleValue]) {
        stack.append(heap.tuple(elements))
    }

    /// An integer of up to 8 bytes in two's complement, lowest byte first.
    private mutating func long(length: Int) throws -> Int {
        let bytes = try read { $0.take(length) }
        guard length <= 8 else {
            throw refused("An integer of \(length) bytes is not allowed; 8 are.")
        }
        let isNegative = bytes.last.map { $0 & 0x80 != 0 } ?? false
        return bytes.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) }
    }
}

// MARK: - Containers

extension PickleMachine {
    private mutating func extendList(_ elements: [PickleValue]) throws {
        guard case .list(let index) = try top() else {
            throw refused("Only a list can be appended to, and this is \(try top().kind).")
        }
        heap.lists[index] += elements
    }

    private mutating func extendDictionary(_ items: [PickleValue]) throws {
        guard case .dictionary(let index) = try top() else {
            throw refused("Only a dictionary can have items set, and this is \(try top().kind).")
        }
        guard items.count.isMultiple(of: 2) else {
            throw malformed("A key of a dictionary has no value.")
        }
        for place in stride(from: 0, to: items.count, by: 2) {
            heap.dictionaries[index].append((key: items[place], value: items[place + 1]))
        }
    }

    private func tuple(_ value: PickleValue) throws -> [PickleValue] {
        guard case .tuple(let index) = value else {
            throw refused("A tuple is expected, and this is \(value.kind).")
        }
        return heap.tuples[index]
    }

    private mutating func integers(_ value: PickleValue) throws -> [Int] {
        let elements = try tuple(value)
        if case .tuple(let index) = value, let known = numbers[index] { return known }
        guard elements.count <= TensorGeometry.maximumRank else {
            throw refused("A tensor of \(elements.count) dimensions is not allowed.")
        }
        let integers = try elements.map { element in
            guard case .int(let number) = element else {
                throw refused("An integer is expected, and this is \(element.kind).")
            }
            return number
        }
        if case .tuple(let index) = value { numbers[index] = integers }
        return integers
    }
}

// MARK: - Names, calls, storages

extension PickleMachine {
    private mutating func pushGlobal() throws {
        let module = try read { $0.line() }
        let name = try read { $0.line() }
        let fullName =
            String(decoding: module, as: UTF8.self) + "." + String(decoding: name, as: UTF8.self)
        guard let global = PickleGlobal.allowed[fullName] else {
            throw refused("The name \(quoted(fullName)) is not one that weights need.")
        }
        stack.append(.global(global))
    }

    private mutating func reduce() throws {
        let arguments = try tuple(pop())
        guard case .global(let callee) = try pop() else {
            throw refused("Only an allowed name can be called.")
        }
        switch (callee, arguments.count) {
        case (.orderedDict, 0):
            stack.append(heap.emptyDictionary())
        case (.rebuildParameter, 3):
            guard case .tensor = arguments[0] else {
                throw refused("A parameter is made of a tensor, and this is \(arguments[0].kind).")
            }
            stack.append(arguments[0])
        case (.rebuildTensor, 6...7):
            stack.append(try rebuildTensor(arguments))
        default:
            throw refused("\(callee.fullName) cannot be called with \(arguments.count) arguments.")
        }
    }

    /// Attributes of a dictionary (a state dictionary's `_metadata`) are dropped.
    private mutating func build() throws {
        _ = try pop()
        guard case .dictionary = try top() else {
            throw refused(
                "Attributes can be set on a dictionary alone, and this is \(try top().kind).")
        }
    }

    /// `("storage", type, key, location, number of elements)`
    private mutating func pushStorage() throws {
        let identifier = try tuple(pop())
        guard identifier.count == 5, case .string("storage") = identifier[0],
            case .global(.storage(let dtype)) = identifier[1],
            case .string(let key) = identifier[2],
            case .string = identifier[3], case .int(let count) = identifier[4]
        else { throw refused("A persistent id is not that of a storage.") }
        guard let size = recordSize(key) else {
            throw malformed("The archive has no record \(quoted(key)) for a storage.")
        }
        guard count >= 0, TensorGeometry.product([count, dtype.byteCount]) == size else {
            throw malformed(
                """
                Storage \(quoted(key)) claims \(count) elements of \(dtype), but its record has \(size) \
                bytes.
                """)
        }
        // torch would take the first one's type for both.
        if let first = storages[key] {
            guard heap.storages[first].dtype == dtype else {
                throw refused("Storage \(quoted(key)) has two types.")
            }
            stack.append(.storage(first))
        } else {
            storages[key] = heap.storages.count
            stack.append(heap.storage(PickledStorage(key: key, dtype: dtype, count: count)))
        }
    }

    private mutating func rebuildTensor(_ arguments: [PickleValue]) throws -> PickleValue {
        guard case .storage(let index) = arguments[0], case .int(let offset) = arguments[1] else {
            throw refused(
                "A tensor is made of a storage and an offset, and this has \(arguments[0].kind).")
        }
        // Bits such as "conjugate" or "negative", which no weights have.
        if arguments.count == 7 {
            switch arguments[6] {
            case .none: break
            case .dictionary(let metadata) where heap.dictionaries[metadata].isEmpty: break
            default: throw refused("A tensor has flags that are not supported.")
            }
        }
        let storage = heap.storages[index]
        let shape = try integers(arguments[2])
        let strides = try integers(arguments[3])
        guard let count = TensorGeometry.elementCount(of: shape), shape.count == strides.count,
            strides.allSatisfy({ $0 >= 0 }), (0...storage.count).contains(offset)
        else {
            throw malformed(
                "A tensor of shape \(shape), strides \(strides) and offset \(offset) cannot be.")
        }
        // Strides of 0 could make a tensor of any size of one element.
        guard count <= storage.count else {
            throw refused(
                "A tensor of shape \(shape) is larger than its storage of \(storage.count) elements."
            )
        }
        if count > 0 {
            guard let reach = TensorGeometry.reach(shape: shape, strides: strides),
                reach <= storage.count - offset
            else {
                throw malformed(
                    """
                    A tensor of shape \(shape), strides \(strides) and offset \(offset) reaches beyond its \
                    storage of \(storage.count) elements.
                    """)
            }
        }
        return heap.tensor(
            PickledTensor(storage: storage, offset: offset, shape: shape, strides: strides))
    }
}

// MARK: - Errors

extension PickleMachine {
    private var place: String { "\(recordName), byte \(opcodeOffset)" }

    private func malformed(_ reason: String) -> CheckpointError {
        .malformed(path: path, place: place, reason: reason)
    }

    private func refused(_ reason: String) -> CheckpointError {
        .refused(path: path, place: place, reason: reason)
    }
}
