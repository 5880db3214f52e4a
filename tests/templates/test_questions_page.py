"""docs/questions.md tells what is asked."""

from tests.templates.questions_page import PAGE, page


def test_the_page_has_a_golden_question_of_every_task() -> None:
    """`python -m tests.templates.questions_page` renews it."""
    assert PAGE.read_text(encoding="utf-8") == page()
