import Torch

/// How a large feature map goes through a model in overlapping tiles, whose results are blended.
///
/// Memory then grows with a tile instead of the whole. The result is another than that of the whole: each
/// tile is normalised by itself, and attention ends at its edges. Answers to tiling in diffusers'
/// `AutoencoderKL`.
struct AutoencoderTiling {
    /// Sides of a tile that goes in, and of what comes of it.
    let inputSide: Int
    let resultSide: Int
    /// Share of a tile that overlaps with the next one.
    static let overlap = 0.25

    /// From one tile to the next.
    private var step: Int { Int(Double(inputSide) * (1 - Self.overlap)) }
    /// Over how many places results are blended.
    private var blendExtent: Int { Int(Double(resultSide) * Self.overlap) }
    /// What of a result is kept, where another follows.
    private var keptSide: Int { resultSide - blendExtent }

    /// Whether a map `[N, C, H, W]` is larger than one tile.
    func applies(to x: Tensor) -> Bool {
        step > 0 && x.shape.suffix(2).contains { $0 > inputSide }
    }

    /// Tiles of `x`, `[N, C, H, W]`, through `model`, and their results together.
    func callAsFunction(_ x: Tensor, through model: (Tensor) throws -> Tensor) throws -> Tensor {
        var rows: [Tensor] = []
        var above: [Tensor] = []
        for top in stride(from: 0, to: x.shape[2], by: step) {
            var tiles: [Tensor] = []
            let band = try x.narrowed(
                dimension: 2, start: top, length: min(inputSide, x.shape[2] - top))
            for left in stride(from: 0, to: x.shape[3], by: step) {
                let width = min(inputSide, x.shape[3] - left)
                var tile = try model(
                    band.narrowed(dimension: 3, start: left, length: width))
                // Both neighbours as they were blended themselves.
                if above.indices.contains(tiles.count) {
                    tile = try blended(above[tiles.count], tile, dimension: 2)
                }
                if let before = tiles.last { tile = try blended(before, tile, dimension: 3) }
                tiles.append(tile)
            }
            rows.append(try .concatenated(tiles.map(kept), dimension: 3))
            above = tiles
        }
        return try .concatenated(rows, dimension: 2)
    }

    private func kept(_ tile: Tensor) throws -> Tensor {
        try tile.narrowed(dimension: 2, start: 0, length: min(keptSide, tile.shape[2]))
            .narrowed(dimension: 3, start: 0, length: min(keptSide, tile.shape[3]))
    }

    /// A tile whose beginning goes over from the end of the one before it along a dimension.
    private func blended(_ before: Tensor, _ tile: Tensor, dimension: Int) throws -> Tensor {
        let size = tile.shape[dimension]
        let extent = min(before.shape[dimension], size, blendExtent)
        guard extent > 0 else { return tile }
        let end = try before.narrowed(
            dimension: dimension, start: before.shape[dimension] - extent, length: extent)
        let beginning = try tile.narrowed(dimension: dimension, start: 0, length: extent)
        let share = (0..<extent).map { Double($0) / Double(extent) }
        func weights(_ values: [Double]) throws -> Tensor {
            var shape = [1, 1, 1, 1]
            shape[dimension] = extent
            return try Tensor(values, shape: shape, in: tile.library).converted(to: tile.dtype)
                .moved(to: tile.device)
        }
        let mixed = try end * weights(share.map { 1 - $0 }) + beginning * weights(share)
        let rest = try tile.narrowed(
            dimension: dimension, start: extent, length: size - extent)
        return try .concatenated([mixed, rest], dimension: dimension)
    }
}
