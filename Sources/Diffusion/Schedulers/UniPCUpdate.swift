import Glibc

/// One step of UniPC as a sum, x_t = sample · x_s + output · m_0 + scale · Σ ρ_k D_k, where D_k is the
/// difference of an earlier prediction (or, when correcting, of the one at t) and m_0, divided by its
/// distance r_k (Zhao et al., 2023, eq. 3 and 9).
///
/// With h = λ_t - λ_s, negative where the equation is solved for the clean sample. float32, as the
/// reference computes them.
struct UniPCUpdate {
    let sample: Float
    let output: Float
    let scale: Float
    private let hh: Float
    private let bh: Float

    init(
        from start: NoiseLevel, to end: NoiseLevel, predictsClean: Bool,
        type: UniPCMultistepConfiguration.SolverType
    ) {
        let h = end.lambda - start.lambda
        hh = predictsClean ? -h : h
        bh = type == .bh1 ? hh : expm1f(hh)
        let share = predictsClean ? end.alpha : end.sigma
        sample = predictsClean ? end.sigma / start.sigma : end.alpha / start.alpha
        output = -share * expm1f(hh)
        scale = -share * bh
    }

    /// ρ of the predictor, one for each distance (eq. 9). With one, half of any weight is as exact.
    func predictor(distances: [Float]) -> [Float] {
        switch distances.count {
        case 0: []
        case 1: [0.5]
        default: weights(distances)
        }
    }

    /// ρ of the corrector (eq. 3), whose last distance is 1: the prediction at t.
    func corrector(distances: [Float]) -> [Float] {
        distances.count == 1 ? [0.5] : weights(distances)
    }

    /// ρ that solves R(h) ρ B(h) = φ(h), so that as many orders of h vanish as there are distances.
    private func weights(_ distances: [Float]) -> [Float] {
        // h^k φ_{k+1}(h) k!, from φ_{k+1} = (φ_k - 1/k!) / h.
        var phi = expm1f(hh) / hh - 1
        var factorial: Float = 1
        var right: [Float] = []
        var rows: [[Float]] = []
        var powers = distances.map { _ in Float(1) }
        for order in 1...max(distances.count, 1) {
            right.append(phi * factorial / bh)
            rows.append(powers)
            powers = zip(powers, distances).map { $0 * $1 }
            factorial *= Float(order + 1)
            phi = phi / hh - 1 / factorial
        }
        return Self.solution(of: rows, equal: right)
    }

    /// Gauss's elimination with the largest pivots.
    private static func solution(of rows: [[Float]], equal right: [Float]) -> [Float] {
        var system = zip(rows, right).map { $0 + [$1] }
        let count = system.count
        for column in 0..<count {
            let pivot =
                (column..<count).max {
                    system[$0][column].magnitude < system[$1][column].magnitude
                } ?? column
            system.swapAt(column, pivot)
            for row in (column + 1)..<max(count, column + 1) {
                let factor = system[row][column] / system[column][column]
                system[row] = zip(system[row], system[column]).map { $0 - factor * $1 }
            }
        }
        var solution = [Float](repeating: 0, count: count)
        for row in (0..<count).reversed() {
            var rest = system[row][count]
            for column in (row + 1)..<max(count, row + 1) {
                rest -= system[row][column] * solution[column]
            }
            solution[row] = rest / system[row][row]
        }
        return solution
    }
}
