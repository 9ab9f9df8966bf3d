"""Which questions can be asked. No torch here: the page and the command line check before anything slow begins."""

from model.errors import QuestionError

LONGEST_QUESTION = 2_000  # characters


def checked_question(text: str) -> str:
    """The question without the space around it; raises QuestionError where nothing, or too much, is asked."""
    question = text.strip()
    if not question:
        raise QuestionError("The question is empty. Type what you want to know about the documents.")
    if len(question) > LONGEST_QUESTION:
        raise QuestionError(
            f"The question has {len(question):,} characters; the limit is {LONGEST_QUESTION:,}."
            " Shorten it, or drop the long text as a document."
        )
    return question
