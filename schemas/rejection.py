"""Why a scene or sample was refused: a closed list of reasons, and the record that is stored."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Every reason for which a scene, record or sample can be refused."""

    MISSING_FILE = "missing_file"  # a band, image, label or folder that the record needs
    MISSING_PAIR = "missing_pair"  # the Sentinel-1 partner, or the other date
    MISSING_TARGET = "missing_target"  # xBD target PNG of train, test or hold
    MISSING_METADATA = "missing_metadata"  # no row or key that places the scene
    UNREADABLE_FILE = "unreadable_file"  # truncated or corrupt PNG, TIFF, JSON, Parquet
    SIZE_MISMATCH = "size_mismatch"  # image and label, or bands, of different size
    CRS_MISMATCH = "crs_mismatch"  # image and label, or the two sensors, on different grids
    UNKNOWN_LABEL_CODE = "unknown_label_code"  # a code outside the class table
    NODATA_IMAGE = "nodata_image"  # NaN or nodata where pixels are due
    BLANK_IMAGE = "blank_image"  # all-black or all-white placeholder
    TOO_SMALL = "too_small"  # too few pixels to ask anything
    TOO_LARGE = "too_large"  # refused by its header
    WRONG_PIXEL_FORMAT = "wrong_pixel_format"  # palette, alpha or 16-bit where 8-bit RGB is due
    POLYGON_OUTSIDE = "polygon_outside"  # no part of it lies in the image
    POLYGON_CROSSING = "polygon_crossing"  # its ring crosses itself
    POLYGON_EMPTY = "polygon_empty"
    POLYGON_KIND = "polygon_kind"  # MultiPolygon, or not a polygon at all
    POLYGON_VERTEX = "polygon_vertex"  # a vertex that is not two finite numbers
    DUPLICATE_ID = "duplicate_id"  # the same uid or scene twice
    WRONG_TYPE = "wrong_type"  # a JSON or table value of another type than due
    UNKNOWN_VALUE = "unknown_value"  # a value outside its closed vocabulary
    BAD_DATE = "bad_date"
    BAD_CONVERSATION = "bad_conversation"  # a turn without text, or turns out of order
    UNSAFE_PATH = "unsafe_path"  # "..", an absolute path, or a link out of the archive
    EXTERNAL_REFERENCE = "external_reference"  # VRT, URL, or a raster pointing elsewhere
    LOW_VALID_SHARE = "low_valid_share"  # under half of the pixels carry a label
    NO_LABEL = "no_label"  # nothing from which a question could be answered
    PROOF_FAILED = "proof_failed"  # a sample that its own masks do not prove
    CALL_FAILED = "call_failed"  # the writer of captions gave no reply, after every retry
    EMPTY_REPLY = "empty_reply"
    REPEATED_TEXT = "repeated_text"  # a sentence or run of words that goes on and on
    CUT_REPLY = "cut_reply"  # the reply was not finished within its tokens
    WRONG_LANGUAGE = "wrong_language"
    BAD_REPLY = "bad_reply"  # not <think>…</think><caption>…</caption>
    BAD_MARK = "bad_mark"  # [SEG n] of an unknown region, twice, missing, or on the wrong image
    FALSE_CLAIM = "false_claim"  # a sentence that the masks contradict
    BAD_PROGRAM = "bad_program"  # not in the language, too deep, or of masks that are not there
    UNDEFINED_ANSWER = "undefined_answer"  # a program without a safe value; docs/program.md
    WRONG_ANSWER = "wrong_answer"  # the writer's own answer is not what its program comes to
    GIVES_AWAY = "gives_away"  # a question that holds its answer, or a measured number
    OFF_QUESTION = "off_question"  # question and program speak of different things
    BAD_RULE = "bad_rule"  # no rule of the rule book, or one that does not apply
    BAD_PREMISE = "bad_premise"  # a premise that is missing, or is not what was measured
    REFINED_ANSWER = "refined_answer"  # annotation and prediction share what answers otherwise
    LOW_MARKS = "low_marks"  # a second model finds the question unnatural or in no need of images
    SEEN_IN_TRAINING = "seen_in_training"  # a bench item on ground or an image that is learnt from
    READER_FAILED = "reader_failed"  # the reader could not cope; a fault of ours to mend


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """One refused scene or sample; `detail` names the file, the value and what was expected.

    Letters that UTF-8 cannot hold are kept as escapes: the names of bad files may hold any bytes.
    """

    sample_id: str
    source: str
    stage: str
    reason: Reason
    detail: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "sample_id", _in_utf8(self.sample_id))
        object.__setattr__(self, "detail", _in_utf8(self.detail))


class Refusal(Exception):
    """Raised by readers on data that must be refused; the stage turns it into `Rejected`."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.reason = reason
        self.detail = _in_utf8(detail)
        super().__init__(f"{reason.value}: {self.detail}")


def _in_utf8(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
