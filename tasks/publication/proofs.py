"""The samples of a granule proved again before they are published, once for each shard."""

from dataclasses import replace

from schemas.tier import Tier
from tasks.candidate import made_at, shards_made
from tasks.config import BuildConfig
from tasks.digest import digest_of
from tasks.granules import GranuleId
from tasks.ledger import Ledger, Record
from tasks.verify import prove_shard

STAGE = "proof"
VERSION = 1
MOST_EXAMPLES = 5


def proofs_of(tier: Tier) -> str:
    """Return the name under which the proofs of a tier are kept in the ledger."""
    return f"{STAGE}-{tier}"


def prove_granule(config: BuildConfig, granule: GranuleId, tier: Tier) -> Record:
    """Prove what a granule's shard of a tier holds, unless this very shard has been proved.

    A proof that fails is not kept: who mends the code is to see it hold. Its record has the number
    of samples that fail, and a few of the failures as `reasons`.
    """
    ledger = Ledger(config.out)
    shards = shards_made(config, granule, tier)
    most = config.gates.most_proved
    parts = {"stage": VERSION, "most": most, "shards": [file.sha256 for file in shards]}
    key = digest_of(parts)
    done = ledger.done(proofs_of(tier), granule.name, key)
    if done is not None:
        return replace(done, reused=True)
    failures = [one for file in shards for one in prove_shard(made_at(ledger, file), file, most)]
    drawn = [file.rows if most is None else min(most, file.rows) for file in shards]
    failing = len({(one.file, one.sample_id) for one in failures})
    record = Record(
        stage=proofs_of(tier),
        granule=granule.name,
        key=key,
        parts=parts,
        outputs=(),
        taken=sum(drawn),
        out=sum(drawn) - failing,
        rejected=failing,
        reasons={str(one): 1 for one in failures[:MOST_EXAMPLES]},
    )
    if not failures:
        ledger.store(record)
    return record
