"""How far a story asserts more than the evidence bears out, for the models and against them.

Hype is what a story claims beyond the evidence in a model's favour; belittling the same against it.
Five components, each from 0 to 1, by arithmetic that is the same for both:

* overclaim: sum of c max(0, a - p) over sum of c a, of the claims that evidence speaks to, where c
  is how central a claim is, a the probability that its wording asserts, p its posterior;
* loaded words: words of praise or scorn in sentences that bear them out with no quantity, for each
  hundred words of sentences that make claims;
* headline: by how much the strongest headline claim is stronger than the strongest in the body;
* one voice: the share of centrality in claims that nobody independent said or checked;
* left out: the share of conditions that claims depend on and that the story does not give.

The probabilities asserted and the weights are declared, not fitted; the intervals carry that.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netweight.verdict.intervals import z_score
from netweight.verdict.judgement import Posterior
from netweight.verdict.loaded import Favour, is_borne_out, loaded_words
from netweight.verdict.standing import Standing, Voice

Draws = NDArray[np.float64]

NUM_DRAWS = 20_000
WEIGHTS = {
    "overclaim": 0.40,
    "loaded words": 0.15,
    "headline": 0.15,
    "one voice": 0.15,
    "left out": 0.15,
}
WEIGHT_CONCENTRATION = 15.0  # of the Dirichlet distribution from which weights are drawn
ASSERTED = (0.50, 0.65, 0.85, 0.97)  # by strength: possible, softened, plain, categorical
_ASSERTED_CONCENTRATION = 20.0
_LEAST_SPREAD = 0.5  # of a posterior's log odds: no source makes surer than that
_SUREST = 0.001
_FULL_PER_HUNDRED = (1.5, 6.0)  # loaded words for each hundred that count as 1: somewhere between
_MAX_STRENGTH = 3


@dataclass(frozen=True)
class Parts:
    """What the components of one direction are made of."""

    claims: tuple[Standing, ...]
    num_loaded: int
    num_words: int

    @property
    def weighed(self) -> list[Standing]:
        """The claims that evidence speaks to."""
        return [one for one in self.claims if one.bears_evidence]

    @property
    def coverage(self) -> float:
        """The share of checkable centrality that evidence speaks to; 0 of nothing is 0."""
        total = sum(one.centrality for one in self.claims if one.is_checkable)
        return sum(one.centrality for one in self.weighed) / total if total else 0.0

    def without(self, standing: Standing) -> "Parts":
        """The same with one claim left out."""
        rest = tuple(one for one in self.claims if one is not standing)
        return Parts(rest, self.num_loaded, self.num_words)


def parts_of(standings: Sequence[Standing], favour: Favour) -> Parts:
    """The claims and words of one direction: 1 for the models, -1 against them."""
    sentences = {one.claim.sentence.span: one.claim.sentence.text for one in standings}
    texts = sentences.values()
    return Parts(
        tuple(one for one in standings if one.favour == favour),
        sum(len(loaded_words(text, favour)) for text in texts if not is_borne_out(text)),
        sum(len(text.split()) for text in texts),
    )


def components(parts: Parts) -> dict[str, float]:
    """The components' middle values, by name."""
    return {
        "overclaim": overclaim(parts.weighed),
        "loaded words": _loaded(parts, math.sqrt(math.prod(_FULL_PER_HUNDRED))),
        "headline": _headline(parts.claims),
        "one voice": _one_voice(parts),
        "left out": _left_out(parts),
    }


def point_score(parts: Parts) -> float:
    """The score from 0 to 10 at the middle of everything."""
    values = components(parts)
    return 10 * sum(weight * values[name] for name, weight in WEIGHTS.items())


def overclaim(standings: Sequence[Standing]) -> float:
    """How far claims assert more than their posteriors, as a share of what they assert."""
    asserted = sum(one.centrality * ASSERTED[one.strength] for one in standings)
    excess = sum(
        one.centrality * max(0.0, ASSERTED[one.strength] - _mean(one)) for one in standings
    )
    return excess / asserted if asserted else 0.0


def underclaim(standings: Sequence[Standing]) -> float:
    """How far claims assert less than their posteriors, on average by centrality."""
    total = sum(one.centrality for one in standings)
    lack = sum(one.centrality * max(0.0, _mean(one) - ASSERTED[one.strength]) for one in standings)
    return lack / total if total else 0.0


def by_voice(parts: Parts) -> dict[Voice, float]:
    """The overclaim of the story itself, of the vendor as quoted, and of others as quoted."""
    voices: tuple[Voice, ...] = ("story", "vendor", "others")
    heard = {voice: [one for one in parts.weighed if one.voice == voice] for voice in voices}
    return {voice: overclaim(ones) for voice, ones in heard.items() if ones}


def _mean(standing: Standing) -> float:
    posterior = standing.judgement.posterior
    assert posterior is not None, "only claims with evidence are weighed"
    return posterior.mean


def _loaded(parts: Parts, full: float) -> float:
    if not parts.num_words:
        return 0.0
    return min(1.0, 100 * parts.num_loaded / parts.num_words / full)


def _headline(standings: Sequence[Standing]) -> float:
    in_headline = [s for one in standings if (s := one.headline_strength) is not None]
    if not in_headline:
        return 0.0
    in_body = [
        s
        for one in standings
        if (s := one.body_strength) is not None and one.judgement.verdict != "contradicted"
    ]
    return max(0, max(in_headline) - max(in_body, default=0)) / _MAX_STRENGTH


def _one_voice(parts: Parts) -> float:
    alone, whole = _voices(parts)
    return alone / whole if whole else 0.0


def _voices(parts: Parts) -> tuple[float, float]:
    checkable = [one for one in parts.claims if one.is_checkable]
    alone = sum(one.centrality for one in checkable if not one.is_independent)
    return alone, sum(one.centrality for one in checkable)


def _left_out(parts: Parts) -> float:
    told = [is_told for one in parts.claims for is_told in one.told.values()]
    return told.count(False) / len(told) if told else 0.0


# The same with everything uncertain drawn from what is known of it.


def draw_scores(parts: Parts, rng: np.random.Generator) -> Draws:
    """Scores from 0 to 10, as many as NUM_DRAWS."""
    drawn = {
        "overclaim": _draw_overclaim(parts.weighed, rng),
        "loaded words": _draw_loaded(parts, rng),
        "headline": np.full(NUM_DRAWS, _headline(parts.claims)),
        "one voice": _draw_share(*_counted_voices(parts), rng),
        "left out": _draw_share(*_counted_conditions(parts), rng),
    }
    return 10 * weighted(drawn, WEIGHTS, rng)


def weighted(drawn: dict[str, Draws], weights: dict[str, float], rng: np.random.Generator) -> Draws:
    """The mean of components with weights that are themselves drawn around the declared ones."""
    names = list(drawn)
    total = sum(weights[name] for name in names)
    centre = np.array([weights[name] / total for name in names])
    shares = rng.dirichlet(WEIGHT_CONCENTRATION * centre, NUM_DRAWS)
    return np.asarray((shares * np.stack([drawn[name] for name in names], axis=1)).sum(axis=1))


def draw_scale(ends: tuple[float, float], rng: np.random.Generator) -> Draws:
    """A scale that lies somewhere between two ends, any ratio being as likely."""
    return np.exp(rng.uniform(math.log(ends[0]), math.log(ends[1]), NUM_DRAWS))


def _draw_overclaim(standings: Sequence[Standing], rng: np.random.Generator) -> Draws:
    if not standings:
        return np.zeros(NUM_DRAWS)
    excess = asserted = np.zeros(NUM_DRAWS)
    levels = [
        rng.beta(level * _ASSERTED_CONCENTRATION, (1 - level) * _ASSERTED_CONCENTRATION, NUM_DRAWS)
        for level in ASSERTED
    ]
    for one in standings:
        assert one.judgement.posterior is not None, "only claims with evidence are weighed"
        known = _draw_posterior(one.judgement.posterior, rng)
        level = levels[one.strength]
        excess = excess + one.centrality * np.maximum(0.0, level - known)
        asserted = asserted + one.centrality * level
    return excess / asserted


def _draw_posterior(posterior: Posterior, rng: np.random.Generator) -> Draws:
    """Probabilities with normal log odds; 90% lie where reliance on the sources puts them."""
    low, mean, high = map(_log_odds, (posterior.low, posterior.mean, posterior.high))
    spread = max(_LEAST_SPREAD, (high - low) / 2 / z_score(0.90))
    return 1 / (1 + np.exp(-rng.normal(mean, spread, NUM_DRAWS)))


def _log_odds(probability: float) -> float:
    bounded = min(max(probability, _SUREST), 1 - _SUREST)  # posteriors are rounded, to 0 and 1 too
    return math.log(bounded / (1 - bounded))


def _draw_loaded(parts: Parts, rng: np.random.Generator) -> Draws:
    if not parts.num_words:
        return np.zeros(NUM_DRAWS)
    full = draw_scale(_FULL_PER_HUNDRED, rng)
    return np.minimum(1.0, 100 * parts.num_loaded / parts.num_words / full)


def _counted_voices(parts: Parts) -> tuple[float, float]:
    """The share in one voice as a count of as many claims as there are."""
    count = sum(one.is_checkable for one in parts.claims)
    return _one_voice(parts) * count, count


def _counted_conditions(parts: Parts) -> tuple[float, float]:
    count = sum(len(one.told) for one in parts.claims)
    return _left_out(parts) * count, count


def _draw_share(hits: float, count: float, rng: np.random.Generator) -> Draws:
    """Shares by Jeffreys' posterior; nothing counted is nothing missing."""
    if not count:
        return np.zeros(NUM_DRAWS)
    return rng.beta(hits + 0.5, count - hits + 0.5, NUM_DRAWS)
