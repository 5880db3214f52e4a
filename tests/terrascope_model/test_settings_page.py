"""The page of settings says what the settings are."""

from tests.terrascope_model.settings_page import PAGE, table


def test_the_table_of_settings_is_that_of_the_settings() -> None:
    """`python -m tests.terrascope_model.settings_page` renews it."""
    assert PAGE.read_text(encoding="utf-8").endswith(table())
