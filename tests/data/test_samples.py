"""Tests of the shipped sample corpus, its generator and its tokenizer."""

from __future__ import annotations

import csv
import gzip
import io
import json
import pathlib
import re
import subprocess
import sys

import pytest

from melama_jax.data import samples
from tests.sample_corpus import clinical_text, generate, knowledge, train_tokenizer, wording

_FILES = (generate.BIOMEDICAL, generate.CLINICAL, generate.GENERAL)


@pytest.fixture(scope="module")
def shipped() -> dict[str, bytes]:
    """Returns the uncompressed content of the shipped files."""
    return {name: gzip.decompress((samples.root() / name).read_bytes()) for name in _FILES}


@pytest.fixture(scope="module")
def documents(shipped: dict[str, bytes]) -> dict[str, list[str]]:
    """Returns the shipped documents by domain."""
    return generate.texts(shipped)


@pytest.fixture(scope="module")
def notes() -> list[clinical_text.Note]:
    """Returns the clinical notes of seed 0 with the facts about their patients."""
    return list(clinical_text.notes(0, generate.TARGETS[generate.CLINICAL]))


@pytest.fixture(scope="module")
def tokenizer():
    """Returns the shipped tokenizer."""
    sentencepiece = pytest.importorskip("sentencepiece")
    return sentencepiece.SentencePieceProcessor(model_file=str(samples.tokenizer_path()))


def _mentioned(text: str, names: frozenset[str]) -> set[str]:
    """Returns the names that occur in ``text`` as whole words."""
    lowered = text.lower()
    return {name for name in names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", lowered)}


class TestFiles:
    """The shipped bytes."""

    def test_seed_zero_regenerates_the_shipped_text(self, shipped: dict[str, bytes]) -> None:
        assert generate.build(0) == shipped

    @pytest.mark.parametrize("name", _FILES)
    def test_compressed_bytes_are_reproducible(self, name: str, shipped: dict[str, bytes]) -> None:
        import zlib

        if not re.fullmatch(r"1\.[23]\.[0-9.]+", zlib.ZLIB_RUNTIME_VERSION):
            pytest.skip("this zlib is not the reference implementation and may compress differently")
        assert generate.compress(shipped[name]) == (samples.root() / name).read_bytes()

    @pytest.mark.parametrize("name", _FILES)
    def test_gzip_header_has_no_time_and_no_name(self, name: str) -> None:
        header = (samples.root() / name).read_bytes()[:10]
        assert header[:3] == b"\x1f\x8b\x08"
        assert header[3] == 0, "a flag would announce a file name or a comment"
        assert header[4:8] == b"\0\0\0\0", "the modification time must be zero"

    def test_another_seed_gives_another_corpus(self, shipped: dict[str, bytes]) -> None:
        other = generate.biomedical_bytes(1)
        assert other != shipped[generate.BIOMEDICAL]
        assert abs(len(other) - len(shipped[generate.BIOMEDICAL])) < 10_000

    def test_sizes(self, shipped: dict[str, bytes]) -> None:
        sizes = {name: len(content) for name, content in shipped.items()}
        assert 700_000 <= sizes[generate.BIOMEDICAL] <= 800_000
        assert 250_000 <= sizes[generate.CLINICAL] <= 300_000
        assert 400_000 <= sizes[generate.GENERAL] <= 450_000
        assert 1_300_000 < sum(sizes.values()) < 1_900_000

    def test_record_counts(self, documents: dict[str, list[str]]) -> None:
        assert len(documents["biomedical"]) > 700
        assert len(documents["clinical"]) > 270
        assert len(documents["general"]) > 800

    def test_formats(self, shipped: dict[str, bytes]) -> None:
        for line in shipped[generate.BIOMEDICAL].decode().splitlines():
            record = json.loads(line)
            assert list(record) == ["text"]
            assert record["text"].strip() == record["text"]
        rows = list(csv.reader(io.StringIO(shipped[generate.CLINICAL].decode(), newline="")))
        assert rows[0] == ["text", "note_type"]
        assert {len(row) for row in rows} == {2}
        assert {row[1] for row in rows[1:]} >= {
            "visit note",
            "discharge summary",
            "radiology report",
            "nursing note",
        }
        general = shipped[generate.GENERAL].decode()
        assert general.endswith("\n")
        assert "\n\n\n" not in general

    def test_command_line_writes_the_files(self, tmp_path: pathlib.Path, shipped: dict[str, bytes]) -> None:
        generate.main(["--output", str(tmp_path), "--seed", "0"])
        for name in _FILES:
            assert gzip.decompress((tmp_path / name).read_bytes()) == shipped[name]

    def test_package_import_is_light(self) -> None:
        code = (
            "import sys, melama_jax.data.samples as s; assert s.tokenizer_path().is_file(); "
            "assert not {'numpy', 'sentencepiece', 'jax'} & set(sys.modules)"
        )
        # The parent packages are other modules' business: only what this import adds is judged.
        parents = subprocess.run(
            [sys.executable, "-c", "import sys, melama_jax.data; print('numpy' in sys.modules)"],
            capture_output=True,
            text=True,
            check=True,
        )
        if parents.stdout.strip() == "True":
            pytest.skip("melama_jax.data itself imports numpy")
        subprocess.run([sys.executable, "-c", code], check=True)


class TestVariety:
    """Documents differ from each other."""

    def test_no_exact_duplicates(self, documents: dict[str, list[str]]) -> None:
        everything = [" ".join(text.split()) for domain in documents.values() for text in domain]
        assert len(set(everything)) == len(everything)

    def test_few_near_copies(self, documents: dict[str, list[str]]) -> None:
        everything = [text for domain in documents.values() for text in domain]
        sets = [wording.shingles(text) for text in everything]
        assert min(len(own) for own in sets) > 10
        owners: dict[str, list[int]] = {}
        for i, own in enumerate(sets):
            for shingle in own:
                owners.setdefault(shingle, []).append(i)
        near = 0
        for i, own in enumerate(sets):
            common: dict[int, int] = {}
            for shingle in own:
                for j in owners[shingle]:
                    if j != i:
                        common[j] = common.get(j, 0) + 1
            near += max(common.values(), default=0) > 0.8 * len(own)
        assert near < 0.02 * len(everything)

    def test_guard_rejects_a_near_copy(self) -> None:
        guard = wording.NearCopyGuard(0.5)
        words = [f"word{i}" for i in range(60)]
        assert guard.accept(" ".join(words))
        assert not guard.accept(" ".join([*words[:50], "other", "end"]))
        assert guard.accept(" ".join(reversed(words)))


class TestLanguage:
    """Traces that a broken template would leave."""

    @pytest.mark.parametrize(
        "pattern",
        [
            r"[{}]",
            r"\.\.",
            r"[^\n] {2,}",
            r" [,.;:]",
            r",\.|;\.|:\.",
            r"\b(a|an|the|of|to|and|is|in) \1\b",
            r"\b[Aa] (?!one|uni|use|usu|uri|ute|uro|eu|or\b|and\b|is\b|in\b)[aeiou][a-z]+",
            r"\ban (?![aeiouAEIOUFHLMNRSX8]|11|18|hour)",
            r"(?<![A-Z])[.!?] [a-z]",
            r"\bto (do not|never)\b",
        ],
    )
    def test_no_traces(self, pattern: str, documents: dict[str, list[str]]) -> None:
        for domain, texts in documents.items():
            for text in texts:
                match = re.search(pattern, text)
                assert match is None, f"{domain}: {text[max(0, match.start() - 30) : match.end() + 30]!r}"

    def test_articles_go_with_spoken_numbers(self, documents: dict[str, list[str]]) -> None:
        found = re.findall(r"\b([Aa]n?) (\d+)-year-old", "\n".join(documents["clinical"]))
        assert len(found) > 200
        for article, number in found:
            assert article.lower() == wording.number_article(int(number))


class TestClinicalConsistency:
    """A note agrees with the record of its condition."""

    def test_notes_are_the_shipped_ones(self, notes: list[clinical_text.Note], documents: dict[str, list[str]]) -> None:
        assert [note.text for note in notes] == documents["clinical"]

    def test_only_drugs_of_the_condition(self, notes: list[clinical_text.Note]) -> None:
        lexicon = knowledge.drug_lexicon()
        allowed = {}
        for c in knowledge.load_conditions():
            parts = [*(p.drug for p in c.prescriptions), *c.first_line, *c.second_line, *c.course, *c.advice]
            parts += [*(test.noted for test in c.tests), *c.warnings, *c.nursing, *c.follow_up]
            allowed[c.name] = _mentioned(" ; ".join(parts), lexicon)
        mentions = 0
        for note in notes:
            found = _mentioned(note.text, lexicon)
            mentions += len(found)
            assert found <= allowed[note.condition], (note.condition, found - allowed[note.condition])
        assert mentions > 300

    def test_doses_are_those_of_the_record(self, notes: list[clinical_text.Note]) -> None:
        doses = {c.name: {p.drug: p.dose for p in c.prescriptions} for c in knowledge.load_conditions()}
        checked = 0
        for note in notes:
            for drug, dose in doses[note.condition].items():
                for match in re.finditer(rf"(?:[Ss]tart|[Bb]egin) {re.escape(drug)} (?=\d|applied|one)", note.text):
                    assert note.text.startswith(dose, match.end()), note.text
                    checked += 1
        assert checked > 150

    def test_sex_and_age_fit_the_condition(self, notes: list[clinical_text.Note]) -> None:
        conditions = {c.name: c for c in knowledge.load_conditions()}
        for note in notes:
            c = conditions[note.condition]
            low, high = c.ages
            assert low <= note.age <= high
            assert c.sex in ("any", note.sex)
            stated = re.search(r"(\d+)-year-old (girl|woman|boy|man)", note.text)
            assert stated is not None
            assert int(stated.group(1)) == note.age
            assert (stated.group(2) in ("girl", "woman")) == (note.sex == "female")
            assert (stated.group(2) in ("girl", "boy")) == (note.age < 18)

    def test_words_of_the_other_sex_do_not_occur(self, notes: list[clinical_text.Note]) -> None:
        male_only = re.compile(r"\b(he|his|himself|prostat\w+|testis|scrotal)\b", re.IGNORECASE)
        female_only = re.compile(
            r"\b(she|her|herself|pregnan\w+|ovar\w+|uter\w+|vaginal|menstrual|mammogra\w+)\b", re.IGNORECASE
        )
        # Relatives may be of either sex, but they carry no pronouns of their own.
        for note in notes:
            wrong = male_only if note.sex == "female" else female_only
            assert not wrong.search(note.text), note.text

    def test_every_condition_has_notes_and_articles(
        self, notes: list[clinical_text.Note], documents: dict[str, list[str]]
    ) -> None:
        names = {c.name for c in knowledge.load_conditions()}
        assert {note.condition for note in notes} == names
        articles = "\n".join(documents["biomedical"]).lower()
        assert not [name for name in names if name.lower() not in articles]

    def test_names_given_to_notes_and_drugs_agree(self) -> None:
        for c in knowledge.load_conditions():
            drugs = {p.drug for p in c.prescriptions}
            assert set(c.acute) <= drugs
            assert set(c.home) <= drugs
            assert not set(c.symptoms) & set(c.negatives)


class TestTokenizer:
    """The shipped SentencePiece model."""

    def test_special_pieces(self, tokenizer) -> None:
        assert tokenizer.vocab_size() == train_tokenizer.VOCABULARY_SIZE
        assert (tokenizer.unk_id(), tokenizer.bos_id(), tokenizer.eos_id(), tokenizer.pad_id()) == (
            0,
            1,
            2,
            -1,
        )
        assert [tokenizer.is_byte(i) for i in range(2, 260)] == [False, *[True] * 256, False]

    @pytest.mark.parametrize(
        "text",
        [
            "β-hydroxybutyrate 🩺 5 μg/L",
            "Füße, naïve, 東京",
            "two  spaces and\ttab\nnew line",
            " leading and trailing ",
            "\U0001f9ec" * 3,
        ],
    )
    def test_unusual_text_survives(self, text: str, tokenizer) -> None:
        ids = tokenizer.encode(text)
        assert tokenizer.unk_id() not in ids
        assert tokenizer.decode(ids) == text

    def test_digits_are_single_pieces(self, tokenizer) -> None:
        pieces = [tokenizer.id_to_piece(i) for i in range(tokenizer.vocab_size())]
        assert not [piece for piece in pieces if len(re.sub(r"\D", "", piece)) > 1 and not piece.startswith("<0x")]

    def test_every_tenth_document_survives(self, tokenizer, documents: dict[str, list[str]]) -> None:
        for texts in documents.values():
            sample = texts[::10]
            ids = tokenizer.encode(sample)
            assert tokenizer.decode(ids) == sample
            assert not any(tokenizer.unk_id() in row for row in ids)

    def test_compression(self, documents: dict[str, list[str]]) -> None:
        pytest.importorskip("sentencepiece")
        rates = train_tokenizer.bytes_per_token(samples.tokenizer_path().read_bytes(), documents)
        assert min(rates.values()) > 3.2

    def test_model_names_no_path(self) -> None:
        model = samples.tokenizer_path().read_bytes()
        proto = pytest.importorskip("sentencepiece.sentencepiece_model_pb2").ModelProto()
        proto.ParseFromString(model)
        assert not list(proto.trainer_spec.input)
        assert not proto.trainer_spec.model_prefix
        assert proto.normalizer_spec.name == "identity"
        assert proto.normalizer_spec.add_dummy_prefix
        assert not proto.normalizer_spec.remove_extra_whitespaces


def test_no_path_of_a_machine_in_the_sources() -> None:
    for path in samples.root().rglob("*"):
        if path.suffix in (".py", ".md", ".model"):
            content = path.read_bytes()
            assert not re.search(rb"/(work|home|Users|root|tmp)/", content), path
