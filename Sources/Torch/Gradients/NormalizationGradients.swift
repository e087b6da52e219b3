// Normalisations whose mean and standard deviation are kept for the way back.

extension Tensor {
    /// As `groupNorm`, of a tensor that is recorded or by weights that are.
    func recordedGroupNorm(groups: Int, weight: Tensor, bias: Tensor, epsilon: Double) throws
        -> Tensor
    {
        guard shape.count >= 2 else {
            throw TorchError.invalidArgument("\(shape) is not a shape [N, C, …].")
        }
        let places = shape.dropFirst(2).reduce(1, *)
        let sizes = [Argument.int(shape[0]), .int(shape[1]), .int(places), .int(groups)]
        let x = try detached().contiguous()
        let (result, mean, inverse) = try library.callForThree(
            "native_group_norm",
            [.tensor(x), .optionalTensor(weight), .optionalTensor(bias)] + sizes
                + [.double(epsilon)])
        return try result.recorded(from: self, weight, bias) {
            [
                GradientPath(to: [self, weight, bias]) { gradient, wanted in
                    try x.library.call(
                        "native_group_norm_backward",
                        [
                            .tensor(gradient.contiguous()), .tensor(x), .tensor(mean),
                            .tensor(inverse), .optionalTensor(weight),
                        ] + sizes + [.bools(wanted)], returning: wanted)
                }
            ]
        }
    }

    /// As `layerNorm`, of a tensor that is recorded or by weights that are.
    func recordedLayerNorm(weight: Tensor, bias: Tensor, epsilon: Double) throws -> Tensor {
        let (result, mean, inverse) = try library.callForThree(
            "native_layer_norm",
            [
                .tensor(self), .ints(weight.shape), .optionalTensor(weight), .optionalTensor(bias),
                .double(epsilon),
            ])
        return try result.recorded(from: self, weight, bias) {
            [
                GradientPath(to: [self, weight, bias]) { gradient, wanted in
                    try gradient.library.call(
                        "native_layer_norm_backward",
                        [
                            .tensor(gradient), .tensor(self), .ints(weight.shape), .tensor(mean),
                            .tensor(inverse), .optionalTensor(weight), .optionalTensor(bias),
                            .bools(wanted),
                        ], returning: wanted)
                }
            ]
        }
    }
}

extension LibTorch {
    /// Calls an operator that returns three tensors.
    fileprivate func callForThree(
        _ name: String, _ arguments: [Argument]
    ) throws -> (Tensor, Tensor, Tensor) {
        let results = try call(name, arguments, returning: [true, true, true]).compactMap { $0 }
        guard results.count == 3 else {
            throw TorchError.operationFailed(name: name, message: "it returned too little.")
        }
        return (results[0], results[1], results[2])
    }
}
