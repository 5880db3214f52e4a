"""The words around the class words: verbs, relations, and words that carry no content.

A phrase stands for one symbol, a single character, so that a sentence becomes a short string in
which `templates.claim.frames` looks for patterns. Hyphens are spaces; an article inside a phrase
may be left out or put in; of several phrases the longest counts. All symbols:

    X class    I thing that no class is alone    T state of an object    P place    Q share
    # number   A area or pixels    d length      Z metadata, colour ...  Y date spoken of
    N no       E absent            O only        K mainly                e each
    C covers   c covered by        V consists of v shows, there is       b is, has     w with
    L lies     k concentrated      s spread      x across                p place word alone
    M dominates  m dominated by    D largest     2 second largest        y smallest  f followed by
    J borders  j apart from        g surrounded by  G surrounds          n near   r far   a between
    l more     q fewer             t than        = as large  + and       * twice  F exceeds
    H grew     h shrank            U unchanged   W new       ? changed   > at least   < at most
    S picture  z area, patch       o of          i in, on, from          ~ about  ! perhaps
    % percent  R resolution        B distance    9 number    1 unit      @ pronoun
    & the same is said of another class: "as do the crops"     ^ in order of size
    u any other word
"""

from collections.abc import Mapping

# what makes a symbol content: unless a claim takes it up, the sentence is unproved
CONTENT = frozenset("ITPQ#AdZNEOKCcksMmD2yfJjgGnraqlt=*FHhUW?!~<>%RB91@pxu&^")

CUES: Mapping[str, str] = {
    "N": "no, not, without, never, none, neither, lack, lacks, lacking, absence of, free of, "
    "devoid of, void of, not a single, not one, isn't, aren't, doesn't, don't, wasn't, weren't, "
    "didn't, no longer, not any, nor is there, nor are there, nor was there, nor were there, "
    "neither is there, neither are there",
    "E": "absent, completely absent, entirely absent, totally absent, completely missing, entirely "
    "missing, missing, not present, not visible, not found, not seen, not there, not observed, "
    "nonexistent, non existent, not to be seen, not exist, nowhere to be seen, nowhere to be "
    "found, not be seen, not be found, cannot be seen, cannot be found, can't be seen, not appear, "
    "not occur, not to be found, nowhere",
    "O": "only, solely, exclusively, just, merely, restricted to, confined to, limited to",
    "K": "mainly, mostly, largely, primarily, predominantly, chiefly, principally, predominately, "
    "dominantly, for the most part",
    "e": "each, apiece",
    "C": "cover, covers, covering, covered, occupy, occupies, occupying, occupied, make up, makes "
    "up, making up, made up, account for, accounts for, accounting for, constitute, constitutes, "
    "constituting, comprise, comprises, comprising, take up, takes up, taking up, represent, "
    "represents, representing, span, spans, spanning, fill, fills, filling, extend over, extends "
    "over, extending over, amount to, amounts to, amounting to, measure, measures, measuring, "
    "come to, comes to, account, accounts, form, forms, forming, split into, divided into, broken "
    "up into, broken into, falls into, fall into, takes, taking, make for, makes for, making for, "
    "extend across, extends across, sprawls across, sprawls over, stretches over, spreads over, "
    "blankets, blanketing, carpets, adds up to, add up to, adding up to, totals, totalling, "
    "totaling",
    "c": "covered by, covered in, covered with, occupied by, taken up by, filled with, filled by, "
    "made up by, coverage of, cover of",
    "V": "consist of, consists of, consisting of, composed of, made up of, comprised of, made of, "
    "consist, consists, consisting, composed",
    "v": "show, shows, showing, contain, contains, containing, include, includes, including, "
    "feature, features, featuring, there is, there are, there was, there were, depict, depicts, "
    "depicting, display, displays, displaying, reveal, reveals, revealing, see, host, hosts, "
    "present, presents, presenting, capture, captures, exhibit, exhibits, find, note, notice, "
    "characterised by, characterized by, home to, hold, holds, illustrate, illustrates, showcase, "
    "showcases, showcasing",
    "b": "is, are, was, were, be, been, being, has, have, had, having, do, does, did, remain, "
    "remains, remained, become, becomes, became, suffered, suffer, sustained, sustain, "
    "experienced, received, appear to be, appears to be, classified as, classed as, devoted to, "
    "dedicated to, given over to, stood, got, belongs to, goes to, belong to, go to, was left, "
    "were left, been left, is left to, are left to, was left to, were left to",
    "w": "where, with, together with, along with, accompanied by, as well as",
    "L": "stand, stands, nestled, tucked, lining, spotted, can be spotted, be spotted, shows up, "
    "show up, turns up, turn up, crops up, identified, can be identified, be identified, made "
    "out, can be made out, be made out, grow, grows, growing, recognisable, recognizable, "
    "situates, resides, occurring, lie, lies, lying, lay, located, situated, found, sit, sits, "
    "sitting, positioned, placed, appear, appears, appearing, appeared in, visible, seen, occur, "
    "occurs, occurring, stretch, stretches, stretching, extend, extends, extending, run, runs, "
    "running, can be seen, can be found, be seen, be found, exist, exists, existing, observed, "
    "detected, to be seen, to be found, noticeable, discernible, apparent, evident, is present, "
    "are present, was present, were present, be present, present in, present at, present on, "
    "present throughout, present across, not only present, occurs mainly",
    "k": "concentrated, clustered, concentrate, concentrates, clusters in, prevalent, grouped, "
    "gathered",
    "s": "spread, spreads, spreading, scattered, distributed, dispersed, spread out, evenly "
    "distributed, evenly spread, widely distributed, widely spread, widely scattered, "
    "interspersed, sprinkled, widespread, dotted",
    "x": "across, throughout, all over, all across, everywhere, in every part of, in almost every "
    "part of, in nearly every part of, in all parts of, in most parts of, in almost all parts of, "
    "all around",
    "M": "dominate, dominates, dominating, dominated, predominate, predominates, predominating, "
    "prevail, prevails, prevailing",
    "m": "dominated by, dominated primarily by, dominated mainly by, dominated mostly by, "
    "dominated largely by, predominated by",
    "f": "followed by, trailed by",
    "J": "right next to, right beside, border, borders, bordering, bordered, bordered by, borders "
    "on, border on, touch, touches, touching, adjoin, adjoins, adjoining, adjacent, adjacent to, "
    "next to, beside, bounded by, along, alongside, abut, abuts, abutting, neighbour, neighbours, "
    "neighbouring, neighbor, neighbors, neighboring, share a border with, shares a border with, "
    "sharing a border with, share a boundary with, shares a boundary with, in contact with, in "
    "direct contact with, contiguous with, flanked by, meet, meets, meeting, lies along, lie "
    "along, runs along, run along, running along, stretch along, stretches along, share a border, "
    "share a boundary, shares borders with, share borders with, has a border with, have a border "
    "with, common border, common border with, fringed by, edged by, lies next to, lie next to, "
    "lies beside, lie beside, hug, hugs, hugging, shares an edge with, share an edge with, share "
    "a common border, share a common boundary",
    "j": "separate from, separated from, apart from each other, detached from, isolated from, set "
    "apart from",
    "g": "surrounded by, enclosed by, embedded in, encircled by, ringed by, enclosed within, "
    "surrounded on all sides by, embedded within, enclosed in, framed by, enclosed on all sides "
    "by, encompassed by",
    "G": "surround, surrounds, surrounding, enclose, encloses, enclosing, encircle, encircles, "
    "encircling",
    "n": "near, nearby, close to, in the vicinity of, not far from, in close proximity to, near "
    "to, in proximity to, close by, a short distance from, very close to, not far away from",
    "r": "far from, far away from, distant from, a long way from, remote from, well away from, far "
    "off from",
    "a": "between, separating, separates, separate, divides, dividing, sandwiched between, in "
    "between",
    "t": "than, than that of, than those of",
    "l": "more, larger, greater, bigger, more extensive, more common, more widespread, more "
    "abundant, wider, more prevalent, more dominant, more frequent, larger in area, more space, "
    "more ground, larger in extent, higher, vaster",
    "q": "less, smaller, fewer, less extensive, less common, less widespread, less abundant, less "
    "space, less ground, less prevalent, less frequent, smaller in area, lesser, rarer, scarcer, "
    "smaller in extent",
    "=": "similar, similar to, similarly large, comparable, comparable to, equal, equal to, "
    "equals, equally large, equally common, the same area as, the same size as, the same extent "
    "as, the same share as, the same area, the same size, the same extent, the same share, the "
    "same amount, the same amount of, equally extensive, equally widespread, similar in size, "
    "similar in area, similar in extent, similar in size to, similar in area to, similar in extent "
    "to, comparable in size, comparable in extent, comparable in area, similarly extensive, the "
    "same as, in equal measure, in equal parts, as much, as large, as large as, as much as, as "
    "many, as extensive as, as common as, as widespread as, as big as, as abundant as, as large an "
    "area, as much area, as much space, just as much, just as large as, balanced, as large a "
    "share, as much of the image, as much of the scene, as much ground, as much land",
    "F": "exceed, exceeds, outweigh, outweighs, outnumber, outnumbers, surpass, "
    "surpasses, outstrips, outstrip, ahead of, outweighed by, exceeded by, outnumbered by, "
    "surpassed by",
    "H": "grew, has grown, have grown, had grown, expanded, increased, increase in, increase of, "
    "expansion of, growth of, growth in, was built, were built, been built, gained, rose, risen, "
    "enlarged, gain of, newly built, constructed, was added, were added, been added, gain in, has "
    "spread, have spread, newly appeared, newly constructed, appeared, emerged",
    "h": "shrank, shrunk, decreased, declined, lost, removed, disappeared, vanished, receded, "
    "reduced, diminished, loss of, decrease in, decrease of, decline in, decline of, reduction in, "
    "reduction of, contracted, retreated, retreat of, dwindled, fell, fallen, demolished, "
    "dropped, gone",
    "U": "unchanged, not change, not changed, stable, constant, the same, the same as before, the "
    "same at both dates, the same in both images, not grown or shrunk",
    "W": "new, newly, additional",
    "?": "change, changes, changed, changing, converted, conversion, transformed, replaced, "
    "transformation, over time, compared with before, deforestation, urbanisation, urbanization, "
    "deforested, evolved, evolution, altered, turned into, expansion, growth, increase, decrease, "
    "decline, reduction, loss, gain",
    "z": "area, areas, region, regions, zone, zones, patch, patches, parcel, parcels, piece, "
    "pieces, body, bodies, block, blocks, section, sections, land, lands, surface, "
    "surfaces, terrain, ground, landscape, landscapes, plot, plots, tract, tracts, expanse, "
    "expanses, pocket, pockets, strip, strips, belt, belts, component, components, territory, "
    "space, spaces, band, bands, swath, swaths, stretches of, cluster, clusters, mass",
    "S": "image, images, scene, scenes, picture, pictures, frame, view, tile, labelled area, "
    "labeled area, total area, study area, visible area, labelled part, labelled pixels, "
    "labelled scene, image area, scene area, overall area, satellite image, satellite scene, "
    "satellite picture, satellite view, imagery, satellite imagery, total land area, labelled "
    "surface, total labelled area, land surface, snapshot, scenery, total surface, all pixels, "
    "all labelled pixels, mapped area",
    "o": "of, out of",
    "i": "right at, right in, right on, dates from, dating from, dates back to, in, at, on, from, "
    "to, for, into, onto, towards, toward, inside, by, against, through, behind, beyond, off, "
    "via, among, amongst, away, amid, as",
    "^": "in descending order, in descending order of area, in descending order of size, in "
    "descending order of share, in descending order of coverage, in descending order of extent, "
    "in order of decreasing area, in order of decreasing size, in order of decreasing share, from "
    "largest to smallest, from the largest to the smallest, from most to least common, in "
    "decreasing order of area, in decreasing order, in decreasing order of size, in order of area, "
    "ranked by area, in order of size, ordered by area",
    "&": "so is, so are, so was, so were, so do, so does, so did, as do, as does, as did",
    "+": "and, or, nor, plus, but also",
    ",": "but, yet",
    ";": "while, whereas, although, though, however, whilst, because, since",
    "~": "about, around, roughly, approximately, nearly, almost, circa, ca, some, approx, an "
    "estimated, just about, in the order of, on the order of, just under, just over, slightly "
    "over, slightly under, a little over, a little under, slightly more than, slightly less than, "
    "a little more than, a little less than, more or less",
    ">": "more than, at least, over, exceeding, above, upwards of, in excess of, greater than, no "
    "less than, not less than, well over, higher than, a minimum of, no fewer than, larger than, "
    "not fewer than",
    "<": "less than, under, at most, below, up to, within, no more than, not more than, fewer "
    "than, not exceeding, smaller than, lower than, a maximum of, well under, well below",
    "%": "percent, per cent, pct",
    "R": "resolution, spatial resolution, ground resolution, ground sampling distance, gsd, pixel "
    "size, per pixel, pixel spacing, ground sample distance, pixel resolution",
    "B": "distance, gap, shortest distance, minimum distance, smallest distance, closest distance",
    "!": "may, might, could, possibly, perhaps, probably, likely, presumably, potentially, would, "
    "should, if, suitable, ideal, potential, possible, future, planned, former, formerly, once, "
    "except, except for, other than, besides, instead, unlike, rather than, used to be, maybe, "
    "seem, seems, apparently, suggest, suggests, suggesting, indicate, indicates, indicating, "
    "resemble, resembles, resembling, expect, expected, will, imagine, suppose, assume, whether, "
    "hypothetical, suspected, unclear, aside from, apart from, excluding, previously, one of the "
    "largest, one of the main, one of the dominant, among the largest, unless, as if, must, "
    "should be, instead of, as opposed to, ignore, pretend, reminiscent, look like, looks like, "
    "not necessarily, to some extent, hard to tell, not clear, cannot, hardly any, barely any, "
    "almost no, nearly no, practically no, hardly, barely, scarcely, only traces of, excluded, "
    "leaving aside",
}

CARRIERS = (
    "the, a, an, this, that, these, those, also, well, clearly, overall, respectively, mark, "
    "marks, marked, i, we, one can, let, me, us, look, looking, begin, begins, start, next comes, "
    "next, finally, lastly, now, here, remaining, class, classes, land cover, land cover class, "
    "land cover type, land cover classes, land cover types, cover type, cover types, land use, "
    "land use class, category, categories, type, types, cover class, cover classes, mix, mixture, "
    "combination, mosaic, patchwork, variety, range, each other, one another, together, combined, "
    "taken together, in total, altogether, in all, in general, generally, in particular, "
    "particularly, as a whole, it can be seen that, it is visible that, it is clear that, we can "
    "see that, we can see, i can see, one can see, it is evident that, can, in terms of, signs "
    "of, sign of, traces of, trace of, evidence of, any, there, too, event, disaster, place, "
    "share, shares, portion, part, parts, portions, proportion, proportions, amount, amounts, "
    "number, number of, then comes, comes, then, in contrast, by contrast, meanwhile, "
    "additionally, furthermore, moreover, in addition, further, who, whose, what, "
    "directly, satellite, sensor, sensors, such as, namely, such, by area, in area, in extent, in "
    "size, by extent, by far, in terms of area, in terms of extent, turning to, visibly, indeed, "
    "again, still, already, even, seen by, seen from above, from above, viewed from above, "
    "viewed, of land, whole, entire, notably, side by side, immediately, not only, so, then i, "
    "out, separated, distinct, coverage, extent, size, its extent, surface area, its own, own, of "
    "all, among all, all classes, of all classes, of all the classes, of all land cover classes, "
    "among all classes, among the classes, data, elements, components of, following, in turn, on "
    "the other hand, on the one hand, other, others, taken, acquired, captured, recorded, apart, "
    "at all, exactly, precisely, evenly, widely, on all sides, on every side, from all sides, a "
    "total of, in both images, at both dates, on both dates, minimum, dated, sensed, date, both, "
    "either, anywhere, first, firstly, first of all, without doubt, without a doubt, no doubt, "
    "undoubtedly, between the two images, between the two dates, between the images, between the "
    "dates, between the two, between both dates, between both images, measured, of which, between "
    "the first and the last image, between the first and the second image, between the first and "
    "the last date, from the first to the last image, between the first and second image, from "
    "the first to the second image, between the earlier and the later image, from the first image "
    "to the last, between the first and the last, moving on to, moving on, moving down, moving "
    "to, moving up, next up, turning now to, turn to, turn, another region, another class, "
    "another area, last region, final region, last class, final class, last area, final area, the "
    "remaining region, starting at, starting from, starting with, in both years"
)

PRONOUNS = (
    "it, they, them, which, this class, that class, these areas, those areas, its, their, the "
    "class, this land cover, this cover, the latter, these patches, this land cover class, this "
    "type"
)
