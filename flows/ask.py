"""Ask a trained model: images and a question -> words as they are written, an answer, a picture."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from flows.loaded import loaded
from schemas.scene import SarRendering
from tasks.answer_picture import answer_picture
from tasks.asked_images import AskedImage, read_asked
from tasks.atomic import placing
from tasks.errors import UserError
from terrascope_model.answer import Answer, Answerer, Asking
from terrascope_model.feedback import Feedback
from terrascope_model.generate import PromptError, Sampling
from terrascope_model.processor import SampleError
from terrascope_model.sample import Picture, Sample


class OpenQuestion:
    """A question on images that were read, and the model that is asked."""

    def __init__(self, answerer: Answerer, images: Sequence[AskedImage], sample: Sample) -> None:
        self._answerer, self._images, self._sample = answerer, images, sample
        self._answer = Answer(text="", answer="", masks=(), ended=False)

    def texts(
        self, feedback: Feedback | None, max_new_tokens: int, sampling: Sampling
    ) -> Iterator[str]:
        """Yield what is written, piece by piece; UserError where the question cannot be asked."""
        asking = Asking(feedback=feedback, max_new_tokens=max_new_tokens, sampling=sampling)
        try:
            for event in self._answerer.stream(self._sample, asking):
                if isinstance(event, str):
                    yield event
                elif isinstance(event, Answer):
                    self._answer = event
        except (SampleError, PromptError) as error:
            raise UserError(f"{error}; ask something shorter, without marks of a trace") from error

    def answer_line(self) -> str:
        """Return the answer, or why there is none."""
        if self._answer.answer:
            return self._answer.answer
        return "none; " + (
            "the model ended without one"
            if self._answer.ended
            else "the model was cut off: give it more --max-new-tokens"
        )

    def draw(self, out: Path) -> None:
        """Write a PNG picture of the steps' masks, or of the images where there are none."""
        picture = answer_picture(
            self._images,
            [(mask.picture, mask.mask_HW) for mask in self._answer.masks],
            question=self._sample.question,
            options=self._sample.options,
            text=self._answer.text,
            answer=self._answer.answer,
        )
        with placing(out) as temporary:
            picture.save(temporary, "PNG")


def open_question(
    model: Path,
    optical: Sequence[Path],
    sar: Sequence[Path],
    sar_rendering: SarRendering,
    question: str,
    options: tuple[str, ...],
) -> OpenQuestion:
    """Read the images and load the model.

    UserError where either cannot be, or there is no question.
    """
    if not question.strip():
        raise UserError("the question is empty; it stands after the images, in quotation marks")
    images = read_asked(optical, sar, sar_rendering)
    answerer = loaded(model)
    sample = Sample(
        sample_id=str(images[0].path),
        pictures=tuple(_picture(image) for image in images),
        question=question.strip(),
        options=options,
    )
    return OpenQuestion(answerer, images, sample)


def _picture(image: AskedImage) -> Picture:
    return Picture(
        image=Image.fromarray(image.rgb_HW3),
        modality=image.modality.value,
        date_index=image.date_index,
        pixel_size_m=image.pixel_size_m,
        valid_HW=image.valid_HW,
    )
