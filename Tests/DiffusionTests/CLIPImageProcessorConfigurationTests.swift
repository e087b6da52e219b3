import TestSupport
import Testing

@testable import Diffusion

/// Files that say how pictures are prepared, of several ages and with mistakes.
@Suite struct CLIPImageProcessorConfigurationTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func configuration(_ text: String) throws -> CLIPImageProcessorConfiguration {
        try CLIPImageProcessorConfiguration(
            path: folder.write(Array(text.utf8), to: "preprocessor_config.json"))
    }

    @Test func sizesAreNumbersOrObjects() throws {
        let older = try configuration(#"{"size": 60, "crop_size": 50, "resample": 3}"#)
        let newer = try configuration(
            """
            {"size": {"shortest_edge": 60, "longest_edge": null}, "do_convert_rgb": true,
             "crop_size": {"height": 50, "width": 50}}
            """)
        #expect(older == newer)
        #expect(older.shortestEdge == 60 && older.cropHeight == 50 && older.cropWidth == 50)
        let wide = try configuration(#"{"crop_size": {"height": 2, "width": 3}, "size": null}"#)
        #expect(wide.cropHeight == 2 && wide.cropWidth == 3 && wide.shortestEdge == 224)
        #expect(try configuration("{}") == CLIPImageProcessorConfiguration())
    }

    @Test func unknownValuesAreRefused() throws {
        for (key, value) in [
            ("size", "0"), ("size", "2.5"), ("size", "\"224\""), ("size", "[224, 224]"),
            ("size", #"{"height": 224, "width": 224}"#), ("size", #"{"shortest_edge": -1}"#),
            ("size", #"{"shortest_edge": 224, "longest_edge": 300}"#),
            ("crop_size", #"{"height": 224}"#), ("crop_size", #"{"shortest_edge": 224}"#),
            ("crop_size", "1e9"), ("crop_size", "true"), ("resample", "2"), ("resample", "\"3\""),
            ("rescale_factor", "0"), ("image_mean", "[0.5]"), ("image_std", "[1, 1]"),
            ("image_std", "[1, 1, 0]"),
        ] {
            let error = #expect(throws: ConfigurationError.self) {
                try configuration(#"{"\#(key)": \#(value)}"#)
            }
            #expect(error?.description.contains("\"\(key)\" is ") == true)
        }
        for text in [#"{"do_resize": 3}"#, #"{"image_mean": 0.5}"#, "[]", ""] {
            #expect(throws: ConfigurationError.self) { try configuration(text) }
        }
    }
}
