import Torch

/// A value that a pickle builds.
///
/// Containers are numbers of places in a `PickleHeap` rather than nested values: a pickle can nest
/// a million of them, or put one into itself, and nothing here may recurse that deep or leak.
enum PickleValue {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    case tuple(Int)
    case list(Int)
    case dictionary(Int)
    case global(PickleGlobal)
    case storage(Int)
    case tensor(Int)

    /// What an error calls a value of this kind.
    var kind: String {
        switch self {
        case .none: "None"
        case .bool: "a truth value"
        case .int: "an integer"
        case .float: "a float"
        case .string: "a string"
        case .tuple: "a tuple"
        case .list: "a list"
        case .dictionary: "a dictionary"
        case .global: "a name"
        case .storage: "a storage"
        case .tensor: "a tensor"
        }
    }
}

/// Elements in memory, as a pickle describes them: a record of the archive.
struct PickledStorage {
    /// The record's name under `data/`.
    let key: String
    let dtype: DType
    /// Number of elements.
    let count: Int
}

/// A view of a storage, checked to lie within it.
struct PickledTensor {
    let storage: PickledStorage
    /// In elements.
    let offset: Int
    let shape: [Int]
    /// In elements.
    let strides: [Int]
}

/// What the numbers in a `PickleValue` stand for.
struct PickleHeap {
    private(set) var tuples: [[PickleValue]] = []
    var lists: [[PickleValue]] = []
    /// As written; a name may appear again.
    var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
    private(set) var storages: [PickledStorage] = []
    private(set) var tensors: [PickledTensor] = []

    mutating func tuple(_ elements: [PickleValue]) -> PickleValue {
        tuples.append(elements)
        return .tuple(tuples.count - 1)
    }

    mutating func emptyList() -> PickleValue {
        lists.append([])
        return .list(lists.count - 1)
    }

    mutating func emptyDictionary() -> PickleValue {
        dictionaries.append([])
        return .dictionary(dictionaries.count - 1)
    }

    mutating func storage(_ storage: PickledStorage) -> PickleValue {
        storages.append(storage)
        return .storage(storages.count - 1)
    }

    mutating func tensor(_ tensor: PickledTensor) -> PickleValue {
        tensors.append(tensor)
        return .tensor(tensors.count - 1)
    }
}
