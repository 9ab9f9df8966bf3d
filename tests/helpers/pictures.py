"""Pictures of every kind as bytes."""

from PIL import Image, ImageDraw

from tests.helpers.documents import encoded


def crossword(cells: int = 13, side: int = 30) -> Image.Image:
    """A puzzle: a thing among the 1,000 that can be drawn with straight lines."""
    image = Image.new("RGB", (cells * side, cells * side), "white")
    draw = ImageDraw.Draw(image)
    for row in range(cells):
        for column in range(cells):
            black = (row % 2 and column % 2) or (row * 5 + column * 3) % 11 == 0
            corner = (column * side, row * side)
            draw.rectangle((*corner, corner[0] + side, corner[1] + side), "black" if black else "white", "black")
    return image


def exif_turned(image: Image.Image) -> bytes:
    """A JPEG stored on its side, with the note that turns it upright."""
    note = Image.Exif()
    note[0x0112] = 6
    return encoded(image.rotate(90, expand=True), "JPEG", exif=note)


def sixteen_bits(image: Image.Image) -> Image.Image:
    return image.convert("L").convert("I").point(lambda value: value * 257).convert("I;16")


KINDS = {
    "plain.png": lambda image: encoded(image, "PNG"),
    "turned.jpg": exif_turned,
    "alpha.webp": lambda image: encoded(image.convert("RGBA"), "WEBP", lossless=True),
    "sixteen-bit.png": lambda image: encoded(sixteen_bits(image), "PNG"),
    "palette.gif": lambda image: encoded(image.convert("P"), "GIF"),
    "grey.tiff": lambda image: encoded(image.convert("LA"), "TIFF"),
    "large.png": lambda image: encoded(image.resize((2_000, 2_000)), "PNG"),
    "bitmap.bmp": lambda image: encoded(image.convert("1"), "BMP"),
}  # fmt: skip  # fmt: skip
