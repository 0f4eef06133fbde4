"""Tables of the command line: numbers at the right, as on screens; words, days and addresses at the left."""

import pytest

from aether_tui.cli.output import print_table


@pytest.mark.parametrize(
    ("numbers", "right"),
    [
        (("1,965 USD/month", "0.126 USD/task"), True),
        (("−0.14 %", "+9.3 %"), True),
        (("27.1 M tokens", "—"), True),
        (("5/30", "21/21"), True),
        (("12", ""), True),
        (("—", "—"), False),
        (("2026-11-22", "2026-11-2"), False),
        (("1.2.3", "10:20"), False),
        (("12", "OPP-3"), False),
    ],
)
def test_columns_of_numbers_stand_at_the_right(numbers, right, capsys):
    print_table(("ID", "HOW MANY UNITS", "WHY"), [("a", numbers[0], "x"), ("b", numbers[1], "y")])
    wide = max(14, *map(len, numbers))
    for line, cells in zip(
        capsys.readouterr().out.splitlines(),
        (("ID", "HOW MANY UNITS", "WHY"), ("a ", numbers[0], "x"), ("b ", numbers[1], "y")), strict=True,
    ):  # fmt: skip
        assert line == f"{cells[0]}  {cells[1].rjust(wide) if right else cells[1].ljust(wide)}  {cells[2]}"
