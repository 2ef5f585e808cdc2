"""Files of lines: one sequence a line, and every error with the number of its line."""

from __future__ import annotations

from pathlib import Path

from gancore.errors import DataError

__all__ = ["read_lines"]


def read_lines(path: str | Path) -> list[str]:
    r"""The lines of a UTF-8 file, without their ends and outer blanks.

    Parameters
    ----------
    path : str or Path
        A text file; a byte-order mark and either kind of line end are understood, and so is a last line without one.

    Returns
    -------
    list of str

    Raises
    ------
    DataError
        If the file cannot be read or has no line; if a line is empty or not UTF-8, with its number.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_bytes(b"a red bus\r\na cat")
    >>> read_lines(path)
    ['a red bus', 'a cat']
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    rows = content.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\n").split(b"\n")
    if rows == [b""]:
        raise DataError(f"{path}: expected at least one line, got an empty file")
    return [_line(row, number, path) for number, row in enumerate(rows, start=1)]


def _line(row: bytes, number: int, path: Path) -> str:
    try:
        line = row.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: line {number}: expected UTF-8, got byte 0x{row[error.start]:02x} at position {error.start + 1}"
        ) from error
    if not line:
        raise DataError(f"{path}: line {number}: expected a sequence, got an empty line")
    return line
