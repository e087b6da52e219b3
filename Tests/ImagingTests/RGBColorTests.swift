import Foundation
import Imaging
import TestSupport
import Testing

/// Colours against `PIL.ImageColor.getrgb`.
@Suite struct RGBColorTests {
    @Test func colorsAreThoseOfPillow() throws {
        let folder = try TemporaryFolder()
        let texts = [
            "#000000", "#ffffff", "#7fFF00", "#012345", "#abc", "#FA0", "white", "black", "gray",
            "grey", "red", "green", "blue", "lime", "navy", "orange", "LightGray", "lightgrey",
            "White", "silver", "maroon", "teal", "olive", "purple", "aqua", "cyan", "fuchsia",
            "magenta", "yellow", "pink", "brown", "beige", "ivory",
            "", "#", "#12", "#12345", "#ggg", "12345", "fff", "##fff", "blurple", "#é0", " white",
            "#1234567", "#+12",
        ]
        let answer = try Reference.run("colors", jobs: texts, in: folder)
        let expected = try JSONDecoder().decode([[UInt8]?].self, from: answer)
        #expect(expected.count { $0 == nil } == 13)
        for (text, samples) in zip(texts, expected) {
            if let samples {
                let color = try RGBColor(parsing: text)
                #expect([color.red, color.green, color.blue] == samples, "\(text)")
                #expect(try RGBColor(parsing: color.description) == color)
            } else {
                #expect(throws: ImagingError.invalidColor(text)) { try RGBColor(parsing: text) }
            }
        }
    }

    @Test func descriptionsAreHexadecimal() {
        #expect(RGBColor(red: 0, green: 10, blue: 255).description == "#000aff")
        #expect("\(RGBColor.white) \(RGBColor.black)" == "#ffffff #000000")
        let message = ImagingError.invalidColor("blurple").description
        #expect(message.contains("blurple") && message.contains("#rrggbb"))
        #expect(message.contains("white"))
    }

    @Test func colorsAreTextsInJSON() throws {
        let colors = [RGBColor.white, RGBColor(red: 1, green: 2, blue: 3)]
        let data = try JSONEncoder().encode(colors)
        #expect(String(decoding: data, as: UTF8.self) == ##"["#ffffff","#010203"]"##)
        #expect(try JSONDecoder().decode([RGBColor].self, from: data) == colors)
        let wrong = Data(#"["nothing"]"#.utf8)
        #expect(throws: ImagingError.invalidColor("nothing")) {
            try JSONDecoder().decode([RGBColor].self, from: wrong)
        }
    }
}
