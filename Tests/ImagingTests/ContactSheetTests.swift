import Testing

@testable import Imaging

@Suite struct ContactSheetTests {
    private static func plain(_ grey: UInt8, _ width: Int, _ height: Int) throws -> RGBImage {
        try RGBImage(
            width: width, height: height,
            pixels: [UInt8](repeating: grey, count: 3 * width * height))
    }

    /// The rectangle that all pixels of one grey lie in, and whether they fill it.
    private static func extent(of grey: UInt8, in image: RGBImage) -> (
        rows: ClosedRange<Int>, columns: ClosedRange<Int>, isFull: Bool
    )? {
        let places = (0..<image.width * image.height).filter {
            image.pixels[3 * $0..<3 * $0 + 3].allSatisfy { $0 == grey }
        }
        let rows = places.map { $0 / image.width }
        let columns = places.map { $0 % image.width }
        guard let top = rows.min(), let bottom = rows.max(), let left = columns.min(),
            let right = columns.max()
        else { return nil }
        let isFull = places.count == (bottom - top + 1) * (right - left + 1)
        return (top...bottom, left...right, isFull)
    }

    @Test func picturesOfAPairAreSideBySideAndPairsFurtherApart() throws {
        var pairs: [(name: String, input: RGBImage, output: RGBImage)] = []
        for index in 0..<5 {
            let grey = UInt8(10 * index)
            pairs.append(
                ("", try Self.plain(100 + grey, 40, 30), try Self.plain(101 + grey, 20, 80)))
        }
        let image = try ContactSheet(pairs: pairs, columns: 3, cell: 60).image
        let layout = ContactSheetLayout(columns: 3, cell: 60)
        #expect(image.size == layout.size(pairCount: 5))
        #expect(image.height == layout.cardGap + 2 * (layout.cardHeight + layout.cardGap))

        var extents: [(input: ClosedRange<Int>, output: ClosedRange<Int>)] = []
        for index in 0..<5 {
            let grey = UInt8(10 * index)
            let input = try #require(Self.extent(of: 100 + grey, in: image))
            let output = try #require(Self.extent(of: 101 + grey, in: image))
            #expect(input.isFull && output.isFull)
            #expect(input.rows.count == 45 && input.columns.count == 60)
            #expect(output.rows.count == 60 && output.columns.count == 15)
            // Next to each other, on one centre line.
            let gap = output.columns.lowerBound - input.columns.upperBound - 1
            #expect(gap == layout.pictureGap)
            let centers = [input, output].map { $0.rows.lowerBound + $0.rows.upperBound }
            #expect(abs(centers[0] - centers[1]) <= 1)
            extents.append((input.columns, output.columns))
        }
        let between = extents[1].input.lowerBound - extents[0].output.upperBound
        #expect(between > 3 * layout.pictureGap)
        #expect(extents[3].input == extents[0].input)
    }

    @Test func pairsCanBeDrawnInAnyOrderAndAgain() throws {
        let pictures = try (1...4).map { try RGBImage.noise(20 * $0, 50) }
        let pairs = zip(pictures, pictures.reversed()).enumerated().map {
            (name: "picture \($0)", input: $1.0, output: $1.1)
        }
        let expected = try ContactSheet(pairs: pairs, columns: 2, cell: 48).image
        var sheet = try ContactSheet(pairCount: 4, columns: 2, cell: 48)
        try sheet.draw(name: "wrong", input: pictures[2], output: pictures[0], at: 3)
        for index in [3, 1, 0, 2] {
            let pair = pairs[index]
            try sheet.draw(name: pair.name, input: pair.input, output: pair.output, at: index)
        }
        #expect(sheet.image == expected)
    }

    @Test func impossibleSheetsAreRefused() throws {
        for (pairCount, columns, cell) in [(0, 1, 9), (1, 0, 9), (1, 1, 0), (-1, -1, Int.min)] {
            #expect(
                throws: ImagingError.emptySheet(
                    pairCount: pairCount, columns: columns, cell: cell)
            ) { try ContactSheet(pairCount: pairCount, columns: columns, cell: cell) }
        }
        for (pairCount, columns, cell) in [
            (1, 1, 10_000), (100_000, 10, 100), (.max, 1, 10), (1, 1, .max), (.max, .max, .max),
            (178_956_970, 178_956_970, 178_956_970),
        ] {
            let error = #expect(throws: ImagingError.self) {
                try ContactSheet(pairCount: pairCount, columns: columns, cell: cell)
            }
            guard case .tooManyPixels? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        var sheet = try ContactSheet(pairCount: 3, columns: 9, cell: 1)
        #expect(sheet.columns == 3)
        let dot = try Self.plain(0, 1, 1)
        for index in [-1, 3, Int.max, Int.min] {
            #expect(throws: ImagingError.noPlaceInSheet(index: index, pairCount: 3)) {
                try sheet.draw(name: "", input: dot, output: dot, at: index)
            }
        }
    }

    @Test func elongatedPicturesKeepBothSides() throws {
        let line = try Self.plain(7, 3000, 1)
        let column = try Self.plain(8, 1, 3000)
        let image = try ContactSheet(
            pairs: [(name: "lines", input: line, output: column)], columns: 1, cell: 40
        ).image
        #expect(
            Self.extent(of: 7, in: image).map { [$0.rows.count, $0.columns.count] } == [1, 40])
        #expect(
            Self.extent(of: 8, in: image).map { [$0.rows.count, $0.columns.count] } == [40, 1])
    }

    // MARK: - Names

    @Test func longNamesLoseTheirMiddle() {
        #expect(BitmapFont.shortened("photograph.png", to: 14) == "photograph.png")
        #expect(BitmapFont.shortened("photograph.png", to: 13) == "photo...h.png")
        #expect(BitmapFont.shortened("photograph.png", to: 5) == "p...g")
        #expect(BitmapFont.shortened("photograph.png", to: 4) == "phot")
        #expect(BitmapFont.shortened("photograph.png", to: 0) == "")
        #expect(BitmapFont.shortened("寺院の写真です", to: 6) == "寺院...す")
    }

    @Test func everyCharacterHasAGlyphOfItsOwn() {
        let codes = (32...126).map { Character(UnicodeScalar(UInt8($0))) }
        let glyphs = codes.map(BitmapFont.rows)
        #expect(Set(glyphs).count == 95)
        for (character, rows) in zip(codes, glyphs) {
            #expect(rows.count <= BitmapFont.lineHeight && rows.allSatisfy { $0 < 32 })
            #expect(rows.isEmpty == (character == " "))
        }
    }

    @Test func namesOutsideOfASCIIShowAsBoxes() throws {
        let box: [UInt8] = [31, 17, 17, 17, 17, 17, 31]
        for character in "寺é🏯\n\u{7F}\0ß👩‍👩‍👧" {
            #expect(BitmapFont.rows(of: character) == box, "\(character)")
        }
        let dot = try Self.plain(0, 1, 1)
        let sheets = try ["寺院", "éé", "\u{1F3EF}\n"].map {
            try ContactSheet(pairs: [($0, dot, dot)], columns: 1, cell: 30).image
        }
        #expect(sheets[0] == sheets[1] && sheets[0] == sheets[2])
    }

    @Test func namesStayWithinTheirCardAndAreCentred() throws {
        for cell in [1, 5, 16, 40, 127, 128, 300] {
            let white = try Self.plain(255, 3, 3)
            let name = String(repeating: "#", count: 500)
            let image = try ContactSheet(
                pairs: [(name: name, input: white, output: white)], columns: 1, cell: cell
            ).image
            let layout = ContactSheetLayout(columns: 1, cell: cell)
            #expect(layout.characterCount >= 0)
            guard let text = Self.extent(of: 51, in: image) else {
                #expect(layout.characterCount == 0, "\(cell)")
                continue
            }
            let card = layout.cardGap..<layout.cardGap + layout.cardWidth
            #expect(text.columns.lowerBound >= card.lowerBound, "\(cell)")
            #expect(text.columns.upperBound < card.upperBound, "\(cell)")
            let margins = (
                text.columns.lowerBound - card.lowerBound,
                card.upperBound - 1 - text.columns.upperBound
            )
            #expect(abs(margins.0 - margins.1) <= 1, "\(cell)")
            #expect(text.rows.upperBound < layout.cardGap + layout.cardHeight - 1, "\(cell)")
        }
    }
}
