"""Text in cells of tables, so that no spreadsheet takes it for a formula."""

from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_CODES = ", ".join(str(ord(start)) for start in FORMULA_STARTS)
# The same as SQL, of an expression that is text.
HARMLESS = f"CASE WHEN ascii({{0}}) IN ({_CODES}) THEN '''' || {{0}} ELSE {{0}} END"


def harmless(cell: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula."""
    is_formula = isinstance(cell, str) and cell.startswith(FORMULA_STARTS)
    return f"'{cell}" if is_formula else cell
