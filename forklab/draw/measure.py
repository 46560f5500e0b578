"""How wide a text is: measured with a table of our own, never with the fonts of the machine.

A picture must be the same, byte for byte, on a bare machine without fonts and on a designer's with
thousands. So text is as wide as the wider of DejaVu Sans and Helvetica (Liberation Sans has its
widths): it fits its box in both.
"""

from __future__ import annotations

import unicodedata

# Font sizes, in pixels; the style sheets take them from here.
NAME_SIZE = 15
SMALL_SIZE = 12
LABEL_SIZE = 11
TITLE_SIZE = 14

_FIRST = 32  # the tables begin at the blank and end at the tilde; in thousandths of the font size
_REGULAR = """
    318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636
    636 636 636 337 337 838 838 838 556 1015 684 686 722 770 667 611 778 752 295 500 667 557 863
    748 787 667 787 722 667 611 732 684 989 685 667 685 390 337 390 838 556 500 613 635 550 635
    615 352 635 634 278 278 579 278 974 634 612 635 635 411 521 392 634 592 818 592 592 525 636
    337 636 838
"""
_BOLD = """
    348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 365 696 696 696 696 696 696 696
    696 696 696 400 400 838 838 838 611 1000 774 762 734 830 683 683 821 837 372 556 775 637 995
    837 850 733 850 770 720 682 812 774 1103 771 724 725 457 365 457 838 556 500 675 716 593 716
    678 435 716 712 343 343 665 343 1042 712 687 716 716 493 595 478 712 652 924 645 652 582 712
    365 712 838
"""
_WIDTHS = {False: tuple(map(int, _REGULAR.split())), True: tuple(map(int, _BOLD.split()))}


def text_width(text: str, size: int, *, bold: bool = False) -> int:
    """The width of `text` in pixels, rounded up, in a sans-serif font of `size` pixels."""
    return -(-sum(_advance(character, bold) for character in text) * size // 1000)


def _advance(character: str, bold: bool) -> int:
    place = ord(character) - _FIRST
    widths = _WIDTHS[bold]
    if 0 <= place < len(widths):
        return widths[place]
    if unicodedata.combining(character):
        return 0
    return 1000 if unicodedata.east_asian_width(character) in "WF" else 840
