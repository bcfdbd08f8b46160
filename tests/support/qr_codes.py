"""QR codes, read from pictures as a camera would."""

from pathlib import Path

import pypdfium2
import typst
import zxingcpp


def codes_on(pdf: bytes) -> list[str]:
    """The texts of the QR codes on the first page, as it is printed and scanned."""
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0]
        bitmap = page.render(scale=2, grayscale=True)
        assert bitmap.width == bitmap.stride
        pixels = memoryview(bytes(bitmap.buffer)).cast("B", (bitmap.height, bitmap.width))
        bitmap.close()
        page.close()
    return [code.text for code in zxingcpp.read_barcodes(pixels)]


def codes_in(png: Path) -> list[str]:
    """The texts of the QR codes in a picture, printed 4 cm wide."""
    page = png.with_suffix(".typ")
    page.write_text(f'#set page(width: 6cm, height: 6cm, margin: 1cm)\n#image("{png.name}", width: 4cm)')
    return codes_on(typst.compile(page))
