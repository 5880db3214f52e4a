"""Patterns of symbols that make claims; `templates.claim.cues` says what the symbols are.

A frame is a pattern over the string of symbols and a function that makes claims of its matches.
Frames are tried in order at every place, left to right; a match takes up its symbols. A function
returns None where the words do not make such a claim after all, and no claims where they are a
statement that cannot be tested, which is passed over and leaves its words unaccounted for.
"""

from templates.claim.found import Frame, frame
from templates.claim.read import Kind
from templates.claim.says_amount import (
    amount_before,
    amount_of,
    amounts_each,
    amounts_in_turn,
    apposed_amount,
    counted,
    fronted_amount,
    in_state,
    opening_amount,
    resolution,
    split_into,
)
from templates.claim.says_order import (
    as_much,
    attributive,
    dominated,
    dominated_in_turn,
    dominating,
    followed,
    in_order,
    largest,
    mainly,
    more,
    part_of_other,
    ranked,
    ranked_after,
    times,
)
from templates.claim.says_place import (
    absent,
    fronted,
    in_place,
    in_places_together,
    last_in_place,
    opening_place,
    part_of_class,
    spread,
)
from templates.claim.says_relation import (
    among,
    apart,
    change_alone,
    change_of_thing,
    changed,
    each_pair,
    in_between,
    opening_relation,
    surrounded,
)

NOT_ELSE = r"(?<![D2yMVCQK])(?<![D2yMVCQK]b)"  # "the largest class is not water" is no absence

FRAMES: tuple[Frame, ...] = (
    # states of objects
    frame(
        "#NQX",
        r"(?:(?P<n>[#QN])o?)?(?:(?P<of>#)o?)?(?P<x>X)b?(?P<adv>[QKN#]?)b?(?P<t>T)(?P<p>P?)",
        in_state,
    ),
    frame("#NQXo", r"(?P<n>[#QN]?)o?(?P<x>X)[wvb]*(?P<t>T)", in_state),
    frame("#NQ", r"(?P<n>[#QN])[ob]*(?P<t>T)", in_state),
    frame("T", r"(?P<t>T)(?P<n>[#QN])o?(?:(?P<of>#)o?)?(?P<x>X)", in_state),
    frame("T", r"(?P<t>T)", in_state),
    # what is not there
    frame("N", r"N[bov]*(?P<x>X)[bLsv]*(?P<p>P)", absent, "x"),
    frame("P", r"(?P<p>P),?[bvw]*N[bov]*(?P<x>X)(?![bCJMkKHhgGnr=lqD2y])", absent, "x"),
    frame("X", r"(?P<x>X)[bL]*(?:N[bLkv]*|E)(?P<p>P)", absent, "x"),
    frame(
        "N",
        rf"{NOT_ELSE}N[bov]*(?P<x>X)(?![bcCJMkKHhgGnr=lqDyF*2T?])[LEv]*(?![^,;+]*P)",
        absent,
        "x",
    ),
    frame("N", r"N[bov]*(?P<x>X)b+(?![PQ#T]|[^,;+]*P)", absent, "x"),
    frame("X", r"(?P<x>X)[bL]*(?:E|N[bkv]*L)(?![^,;+]*P)", absent, "x"),
    frame("X", r"(?P<x>X)b?NU", change_alone, "x"),
    frame("N", r"N(?P<noun>)(?P<v>\?)[Lbio]*(?P<x>X)", changed, "x"),
    frame("X", r"(?P<x>X)b?N(?P<v>\?)", changed, "x"),
    frame("X", r"(?P<a>X)JN[ob]*(?P<b>X)", each_pair(Kind.NO_BORDER)),
    frame("N", r"Nb*(?P<a>X)J[iw]?(?P<b>X)", each_pair(Kind.NO_BORDER), "a"),
    frame("X", r"(?P<a>X)b?NJ[iw]?(?P<b>X)", each_pair(Kind.NO_BORDER)),
    frame("X", r"(?P<a>X)j(?P<b>X)", each_pair(Kind.NO_BORDER)),
    frame("X", r"(?P<x>X)b?NJ", among(Kind.NO_BORDER)),
    # change
    frame("X", r"(?P<x>X)(?P<v>[HhU])(?:[iZ]*(?P<from>Q)[iZ]*(?P<to>Q)Z*)?", changed, "x"),
    frame("HUh", r"(?P<noun>(?P<v>[HhU]))[oi]?(?P<x>X)", changed, "x"),
    frame("W", r"(?P<v>W)(?P<x>X)[HL]?", changed, "x"),
    frame("Hh", r"[Hh]", change_of_thing),
    frame("X", r"(?P<x>X)[bC]*(?P<v>[lq])t(?=$|[,;+])", changed),
    frame("X", r"(?P<x>X)\?", change_alone),
    frame("?", r"\?", change_alone),
    # amounts of the class rather than of the picture
    frame("Q", r"(?P<q>Q)o?(?P<x>X)[bLk]+(?P<p>P)", part_of_class),
    # order in a place
    frame("P", r"(?P<p>P)b?m(?P<x>X)", largest),
    frame("P", r"(?P<p>P)[bv,V]*(?P<k>K)[vVcbo]*(?P<x>X)", mainly),
    frame("P", r"(?P<p>P),?(?P<x>X)[MD](?!P)", largest),
    frame("P", r"(?P<p>P)[,bv]*D[vbcV]+(?P<x>X)", largest),
    frame("X", r"(?P<x>X)[MD](?P<p>P)", largest),
    frame("M", r"M(?P<p>P)b(?P<x>X)", largest),
    # order in the picture
    frame("m", r"m(?P<x>X)(?P<p>P?)", dominated),
    frame("X", r"(?P<a>X),?f(?P<x>X)", followed),
    frame("X", r"(?P<x>X),D(?=[,Q)w]|$)", largest),
    frame("X", r"(?P<x>X)[bC]*[MD]", largest),
    frame("D", r"D[bvVc,]+(?P<x>X)", largest),
    frame("K", r"(?P<k>K)[vVcbo]*(?P<x>X)(?![bL]*P)", mainly),
    frame("M", r"M[bv]*(?P<x>X)", dominating),
    frame("D", r"(?P<d>D)(?P<x>X)", attributive),
    frame("X", r"(?P<x>X)[bC]*(?P<r>2)(?P<first>X)", ranked_after),
    frame("X", r"(?P<x>X),(?P<r>2)(?P<first>X)(?=[,)]|$)", ranked_after),
    frame("2", r"(?P<r>2)(?P<first>X)[bvVc,]+(?P<x>X)", ranked_after),
    frame("X", r"(?P<x>X),(?P<r>[2y])(?=[,)]|$)", ranked),
    frame("X", r"(?P<x>X)[bC]*(?P<r>[2y])(?!X)", ranked),
    frame("^", r"\^[bvVCc,]*(?P<x>X)(?:C(?=$|[,;]))?", in_order),
    frame("X", r"(?P<x>X),?\^", in_order),
    frame("2y", r"(?P<r>[2y])[bvVc,]+(?P<x>X)", ranked),
    # comparison
    frame("X", r"(?P<a>X)C?(?P<r>[lq])o?t(?P<b>X)", more),
    frame("lq", r"(?P<r>[lq])[ob]*(?P<a>X)[bL]*t(?P<b>X)", more),
    frame("X", r"(?P<a>X)(?P<r>F)(?P<b>X)", more),
    frame("X", r"(?P<a>X)C?(?P<k>\*)[oit]*(?P<b>X)", times),
    frame("*", r"(?P<k>\*)o?(?P<a>X)[it](?P<b>X)", times),
    frame("X", r"(?P<a>X)C?=[iotw]*(?P<b>X)", as_much),
    frame("=", r"=[ob]*(?P<a>X)[it](?P<b>X)", as_much),
    frame("X", r"(?P<x>X)[Cv]?=", as_much),
    frame("=", r"=o?(?P<x>X)", as_much),
    # two classes
    frame("gJnr", r"(?P<v>[gJnr])[iw]?(?P<b>X),?(?=(?:P,?)?[bvL]*(?P<a>X))", opening_relation),
    frame("X", r"(?P<a>X)L?J[iw]?(?P<b>X)", each_pair(Kind.BORDER)),
    frame("X", r"(?P<x>X)[Lv]?J", among(Kind.BORDER)),
    frame("X", r"(?P<a>X)L?g(?P<b>X)", surrounded),
    frame("X", r"(?P<b>X)G(?P<a>X)", surrounded),
    frame("X", r"(?P<a>X)L?n(?P<b>X)", each_pair(Kind.NEAR)),
    frame("X", r"(?P<x>X)L?n", among(Kind.NEAR)),
    frame("X", r"(?P<a>X)L?r(?P<b>X)", each_pair(Kind.FAR)),
    frame("X", r"(?P<x>X)L?r", among(Kind.FAR)),
    frame("X", r"(?P<a>X)[Lb]*(?P<d>d)[iro]*(?P<b>X)", apart),
    frame("B", r"Ba(?P<x>X)[bC]*(?P<d>d)", apart),
    frame("B", r"B[io]*(?P<a>X)[i+a]+(?P<b>X)[bC]*(?P<d>d)", apart),
    frame("d", r"(?P<d>d)a(?P<x>X)", apart),
    frame("X", r"(?P<x>X)[Lb]*(?P<d>d)", apart),
    frame("a", r"a[YX]*", in_between),
    # places
    frame("X", r"(?P<x>X)[bL]*O[Lk]*(?P<p>P)", in_places_together(Kind.ONLY_IN)),
    frame(
        "X", r"(?P<x>X)[bL]*(?:[KD][KLkC]*|k[KD]?)[LC]*(?P<p>P)", in_places_together(Kind.MAINLY_IN)
    ),
    frame("O", r"O(?P<p>P)[bvcV]+(?P<x>X)", in_places_together(Kind.ONLY_IN)),
    frame("K", r"K(?P<p>P)[,bvL]*(?=(?P<x>X))", in_places_together(Kind.MAINLY_IN)),
    frame("P", r"(?P<p>P)b?[cV](?P<x>X)(?!P)", in_place(Kind.COVERS_PLACE)),
    frame("X", r"(?P<x>X)C(?P<p>P)", in_place(Kind.COVERS_PLACE)),
    frame("X", r"(?P<x>X)[bLC]*s", spread),
    frame("s", r"s(?P<x>X)(?!L?P)", spread),
    # amounts of the picture
    frame("X", r"(?P<x>X)e?C(?P<q>[QA](?:[,+]+[QA])+)", amounts_in_turn),
    frame("X", r"(?P<x>X)eb?C?(?P<q>[QA])", amounts_each),
    frame("X", r"(?P<x>X)b?C(?P<q>[QA])e", amounts_each),
    frame("X", r"(?P<a>X)C(?P<k>Q)o(?P<b>X)", part_of_other),
    frame("X", r"(?P<x>X)b?C(?P<q>[QA])(?P<p>P?)(?![ogGJnr=*lq])", amount_of),
    frame("X", r"(?P<x>X)b(?P<q>[QA])(?P<p>P?)(?=[,;+()wf]|$)", amount_of),
    frame("X", r"(?P<x>X)\((?P<q>[QA])\)", amount_of),
    frame("X", r"(?P<x>X)[,w]?(?P<q>[QA])(?=[,;+)(wPfL]|$)", apposed_amount),
    frame("AQ", r"(?P<q>[QA])(?:,?(?P<p>P),?)?[bcCV]+(?P<x>X)", amount_of),
    frame("ACQVcv", r"[cVvC]*(?P<q>[QA])(?P<o>o?)(?P<x>X)(?P<p>P?)", amount_before),
    # counts, and the plainest places
    frame("X", r"(?P<x>X)[VCbLi]+(?P<n>#)(?!o?X)(?P<p>P?)", split_into),
    frame("X", r"(?P<x>X)[,(]?(?P<n>#)(?=[A,;+()w]|$)", split_into),
    frame("#", r"(?P<n>#)(?P<o>o?)(?P<x>X)[bL]*(?P<p>P?)", counted),
    frame("X", r"(?P<x>X)[bL]+(?P<p>P)", in_place(Kind.IN_PLACE)),
    frame("P", r"(?P<p>P)(?P<by>i)(?P<x>X)", dominated_in_turn),
    frame("P", r"(?P<p>P)[,bvwL]*(?=#?o?(?P<x>X))", fronted),
    frame("P", r"(?P<p>P)[,bvwL]*(?P<q>[QA])o?(?P<x>X)", fronted_amount),
    frame("wCQA", r"[wC]?(?P<q>[QA]),(?=(?P<x>X))", opening_amount),
    frame("C", r"C(?P<p>P),(?=(?P<x>X))", opening_place(Kind.COVERS_PLACE)),
    frame("L", r"L(?P<p>P),(?=(?P<x>X))", opening_place(Kind.IN_PLACE)),
    frame("X", r"(?P<x>X)[,(]?w?(?P<p>P)\)?", last_in_place),
    # the picture
    frame("d", r"(?P<d>d)R", resolution),
    frame("R", r"R[bow]*(?P<d>d)R?", resolution),
)

FRAMES_BY_SYMBOL = {
    symbol: tuple(frame for frame in FRAMES if symbol in frame.begins)
    for symbol in {symbol for frame in FRAMES for symbol in frame.begins}
}
