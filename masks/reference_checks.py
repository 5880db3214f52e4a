"""What a program must not name or ask on a scene, checked before the reference evaluates it."""

from pydantic import BaseModel

from masks.reference_regions import children, leaves
from masks.reference_scene import Leaf, ReferenceScene
from schemas.mask import Origin
from schemas.program import CellOf, ClassMask, Count, Exists, Instances, Near, Valid
from schemas.taxonomy import XBD_UNCLASSIFIED
from schemas.value import Undefined

BOX_MEASURES = (Exists, Count, CellOf)  # what a mask made from boxes may answer


def check_leaves(program: BaseModel, scene: ReferenceScene) -> None:
    """Raise `Undefined` if any leaf of the program breaks a rule, whatever the other parts say.

    The rules are tried one after the other, each on all leaves: unknown layer and class, two
    products, box masks, unclassified objects.
    """
    for leaf in leaves(program):
        _check_known(leaf, scene)
    products = {scene.layer(leaf).product for leaf in leaves(program)}
    if len(products) > 1:
        raise Undefined("two_products", " and ".join(sorted(products)))
    _check_boxes(program, scene)
    for leaf in leaves(program):
        _check_classified(leaf, scene)


def _check_known(leaf: Leaf, scene: ReferenceScene) -> None:
    info = scene.layer(leaf)
    if isinstance(leaf, ClassMask | Instances) and leaf.label not in info.classes:
        raise Undefined("unknown_class", f"{leaf.label} in {info.layer}")


def _check_boxes(node: BaseModel, scene: ReferenceScene, *, allowed: bool = False) -> None:
    """Look at every leaf that is not inside a measure which boxes may answer, or is in a `near`."""
    if isinstance(node, ClassMask | Instances):
        if not allowed and any(mask.origin is Origin.BOX for mask in scene.stored(node)):
            raise Undefined("box_mask", f"{node.label} in {node.layer}")
        return
    if isinstance(node, BOX_MEASURES):
        allowed = True
    if isinstance(node, Near):
        allowed = False
    for child in children(node):
        _check_boxes(child, scene, allowed=allowed)


def _check_classified(leaf: Leaf, scene: ReferenceScene) -> None:
    if isinstance(leaf, Valid | ClassMask) or leaf.attribute is None:
        return
    everyone = Instances(layer=leaf.layer, label=leaf.label, date=leaf.date)
    if any(mask.attribute in ("", XBD_UNCLASSIFIED) for mask in scene.stored(everyone)):
        raise Undefined("unclassified_objects", f"{leaf.label} in {leaf.layer}")
