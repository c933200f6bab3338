"""Reviews: sent by a researcher, accepted or returned by a curator, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from catalog import index, rights
from catalog.editing import reviews, targets
from catalog.editing.reviews import ReviewError
from catalog.editing.targets import Target
from catalog.models import Membership, Profile, Review
from catalog.models.people import Role
from catalog.models.work import ReviewState
from ingest.errors import DocumentError
from tests.catalog.hostile import CORPUS, see
from tests.catalog.tree import Tree, identifier

pytestmark = pytest.mark.django_db(transaction=True)

DATASET = identifier("dataset", "p_Alpha/plate")
PROJECT = identifier("project", "p_Alpha")
WHOLE = {
    "dataset_title": "Plates",
    "dataset_abstract": "Plates of heat-shocked seedlings, read three times a day for two weeks in the summer.",
    "creators": [{"@type": "Person", "name": "Ada"}],
    "data_steward": {"@type": "Organization", "name": "Desk", "email": "data@example.org"},
    "publisher": {"@type": "Organization", "name": "Brown University"},
    "license": "CC-BY-4.0",
    "access_level": "public",
    "keywords": ["heat"],
    "data_retention_schedule": {"period": "P10Y", "start_event": "created", "action": "review"},
}


@pytest.fixture
def target(tree: Tree) -> Target:
    tree.project("p_Alpha", 1, project_title="Alpha")
    tree.dataset("p_Alpha/plate", (), 2, dataset_title="Plates")
    index.refresh(tree.documents())
    found = targets.find("dataset", DATASET)
    assert found is not None
    return found


@pytest.fixture
def researcher(django_user_model: Any) -> User:
    user: User = django_user_model.objects.create_user("researcher")
    Profile.objects.update_or_create(user=user, defaults={"role": Role.MEMBER})
    Membership.objects.create(user=user, project_identifier=PROJECT)
    return user


@pytest.fixture
def steward(django_user_model: Any) -> User:
    user: User = django_user_model.objects.create_user("steward", is_staff=True)
    Profile.objects.update_or_create(user=user, defaults={"role": Role.CURATOR})
    return user


@pytest.fixture
def stranger(django_user_model: Any) -> User:
    user: User = django_user_model.objects.create_user("stranger")
    Profile.objects.update_or_create(user=user, defaults={"role": Role.MEMBER})
    return user


def said(review: Review) -> list[tuple[str, str]]:
    return [(str(comment.author), comment.text) for comment in review.comments.all()]


def state(review: Review) -> str:
    review.refresh_from_db()
    return review.state


def standing(target: Target, user: User) -> tuple[bool, bool, bool]:
    found = reviews.standing(target, rights.of(user))
    return found.may_send, found.may_decide, found.may_comment


# --- the way of a review --------------------------------------------------------------------------------------


def test_a_record_is_sent_returned_sent_again_and_accepted(target: Target, researcher: User, steward: User) -> None:
    assert standing(target, researcher) == (True, False, False)
    first = reviews.send(target, researcher, "Please look.")
    assert (standing(target, researcher), standing(target, steward)) == ((False, False, True), (False, True, True))
    reviews.give_back(first, steward, "A licence is missing.")
    assert (state(first), said(first)) == (
        ReviewState.RETURNED,
        [("researcher", "Please look."), ("steward", "A licence is missing.")],
    )
    second = reviews.send(target, researcher)
    reviews.accept(second, steward, seen=target.read().etag)
    assert (state(first), state(second), Review.objects.count()) == (ReviewState.RETURNED, ReviewState.ACCEPTED, 2)
    found = reviews.standing(target, rights.of(researcher))
    assert (found.review, list(found.earlier), found.changed) == (second, [first], False)
    assert target.read().value["status"] == "draft"


def test_a_record_that_waits_is_not_sent_twice(target: Target, researcher: User) -> None:
    reviews.send(target, researcher)
    with pytest.raises(ReviewError, match="waiting for its review already"):
        reviews.send(target, researcher)
    assert Review.objects.count() == 1


def test_a_record_is_returned_with_words_only(target: Target, researcher: User, steward: User) -> None:
    review = reviews.send(target, researcher)
    with pytest.raises(ReviewError, match="Say what is to be done"):
        reviews.give_back(review, steward, "  ")
    assert state(review) == ReviewState.READY


def test_what_was_decided_stays_decided(target: Target, researcher: User, steward: User) -> None:
    review = reviews.send(target, researcher)
    reviews.accept(review, steward, seen=target.read().etag)
    for again in (
        lambda: reviews.give_back(review, steward, "No."),
        lambda: reviews.accept(review, steward, seen=target.read().etag),
        lambda: reviews.comment(review, target, steward, "Late."),
    ):
        with pytest.raises(ReviewError, match="decided already"):
            again()
    assert (state(review), said(review)) == (ReviewState.ACCEPTED, [])


def test_a_record_changed_since_it_was_sent_is_marked_and_not_accepted_unseen(
    tree: Tree, target: Target, researcher: User, steward: User
) -> None:
    review = reviews.send(target, researcher)
    seen = target.read().etag
    tree.edit(target.path, {"license": "MIT"})
    index.refresh([target.path])
    assert reviews.changed_since([review]) == {review.pk: True}
    assert reviews.standing(target, rights.of(steward)).changed
    with pytest.raises(ReviewError, match="changed while you looked"):
        reviews.accept(review, steward, seen=seen)
    assert state(review) == ReviewState.READY


def test_accepting_can_mark_a_record_complete(tree: Tree, target: Target, researcher: User, steward: User) -> None:
    tree.edit(target.path, WHOLE)
    review = reviews.send(target, researcher)
    reviews.accept(review, steward, "Well done.", seen=target.read().etag, complete=True)
    value = target.read().value
    assert (value["status"], value["last_modified_by"], state(review)) == ("complete", "steward", "accepted")
    assert reviews.changed_since([review]) == {review.pk: False}


def test_what_is_not_complete_is_not_marked_so_and_stays_in_the_queue(
    target: Target, researcher: User, steward: User
) -> None:
    review = reviews.send(target, researcher)
    with pytest.raises(DocumentError) as told:
        reviews.accept(review, steward, seen=target.read().etag, complete=True)
    assert any("Licence" in sentence for sentence in told.value.problems)
    assert (state(review), target.read().value["status"]) == (ReviewState.READY, "draft")


def test_the_manifest_has_no_status_to_be_completed(target: Target, researcher: User, steward: User) -> None:
    files = targets.find("files", DATASET)
    assert files is not None
    review = reviews.send(files, researcher)
    assert not reviews.standing(files, rights.of(steward)).has_status
    reviews.accept(review, steward, seen=files.read().etag, complete=True)
    assert state(review) == ReviewState.ACCEPTED


# --- who may what ---------------------------------------------------------------------------------------------


def test_only_who_changes_a_record_sends_it_and_only_curators_decide(
    target: Target, researcher: User, stranger: User, steward: User
) -> None:
    with pytest.raises(ReviewError, match="You may not"):
        reviews.send(target, stranger)
    review = reviews.send(target, researcher)
    for user in (stranger, researcher):
        for act in (
            lambda user=user: reviews.accept(review, user, seen=target.read().etag),
            lambda user=user: reviews.give_back(review, user, "No."),
        ):
            with pytest.raises(ReviewError, match="You may not"):
                act()
    with pytest.raises(ReviewError, match="You may not"):
        reviews.comment(review, target, stranger, "Hello.")
    reviews.comment(review, target, researcher, "Soon?")
    assert (state(review), said(review)) == (ReviewState.READY, [("researcher", "Soon?")])


# --- the page -------------------------------------------------------------------------------------------------

PAGE = f"/review/dataset/{DATASET}/"


def test_the_page_sends_and_shows_what_came_of_it(
    client: Client, target: Target, researcher: User, steward: User
) -> None:
    client.force_login(researcher)
    assert "Send for review" in see(client, PAGE).words
    answer = client.post(PAGE, {"do": "send", "text": "Please."}, follow=True)
    assert b"was sent for review" in answer.content
    assert "Waiting for a curator" in see(client, PAGE).words
    for verb in ("accept", "return", "complete"):
        answer = client.post(PAGE, {"do": verb, "text": "x", "seen": target.read().etag}, follow=True)
        assert b"You may not do this" in answer.content
    client.force_login(steward)
    client.post(PAGE, {"do": "return", "text": "A licence, please."})
    client.force_login(researcher)
    words = see(client, PAGE).words
    assert ("Returned by steward" in words, "A licence, please." in words, "Send for review again" in words) == (
        True,
        True,
        True,
    )


def test_the_page_of_a_record_says_that_it_waits_and_why_it_was_returned(
    client: Client, target: Target, researcher: User, steward: User
) -> None:
    client.force_login(researcher)
    page = f"/datasets/{target.identifier}/"
    assert "review since" not in client.get(page).content.decode()
    review = reviews.send(target, researcher)
    assert "Waiting for its review since" in client.get(page).content.decode()
    reviews.give_back(review, steward, "Give an <b>abstract</b>")
    told = client.get(page).content.decode()
    assert "Returned from its review by" in told
    assert "Give an &lt;b&gt;abstract&lt;/b&gt;" in told


def test_a_record_of_another_project_is_not_there(client: Client, target: Target, stranger: User) -> None:
    client.force_login(stranger)
    nobody = f"/review/dataset/{identifier('nobody')}/"
    answers = [client.get(PAGE), client.get(nobody), client.post(PAGE, {"do": "send"}), client.post(nobody)]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert {answer.content for answer in answers} == {answers[0].content}
    assert not Review.objects.exists()


def test_a_button_leads_back_to_a_page_of_ours_only(client: Client, target: Target, researcher: User) -> None:
    client.force_login(researcher)
    for wanted, found in (
        (f"/datasets/{DATASET}/", f"/datasets/{DATASET}/"),
        ("//evil.example/", PAGE),
        ("https://evil.example/", PAGE),
        ("/\\evil.example", PAGE),
        ("", PAGE),
    ):
        assert client.post(PAGE, {"do": "send", "back": wanted})["Location"] == found


def test_a_post_needs_its_token(target: Target, researcher: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(researcher)
    assert client.post(PAGE, {"do": "send"}).status_code == 403
    assert not Review.objects.exists()


def test_hostile_titles_and_comments_stay_text(
    tree: Tree, client: Client, target: Target, researcher: User, steward: User
) -> None:
    client.force_login(researcher)
    for text in CORPUS:
        client.post(PAGE, {"do": "send", "text": text})
        client.post(PAGE, {"do": "comment", "text": text})
        tree.edit(target.path, {"dataset_title": text})
        index.refresh([target.path])
        see(client, PAGE)
        latest = Review.objects.latest("pk")
        reviews.give_back(latest, steward, text)
        see(client, PAGE)


# --- the queue ------------------------------------------------------------------------------------------------


def test_the_queue_shows_what_waits_and_is_for_curators(
    client: Client, target: Target, researcher: User, steward: User
) -> None:
    review = reviews.send(target, researcher)
    address = f"/admin/catalog/review/{review.pk}/change/"
    client.force_login(researcher)
    assert {client.get(each).status_code for each in ("/admin/catalog/review/", address)} == {403}
    client.force_login(steward)
    listed = client.get("/admin/catalog/review/").content.decode()
    assert all(word in listed for word in ("Plates", "Alpha", "researcher", "ready for review"))
    shown = client.get(address).content.decode()
    assert ("Accept and mark complete" in shown, f"/admin/catalog/dataset/dataset/{DATASET}/" in shown) == (True, True)
    answer = client.post(address, {"do": "complete", "seen": target.read().etag, "text": ""}, follow=True)
    assert "“Licence” is missing" in answer.content.decode()
    answer = client.post(address, {"do": "return", "text": "A licence, please."}, follow=True)
    assert "returned with your comment" in answer.content.decode()
    assert state(review) == ReviewState.RETURNED
    assert "Plates" not in client.get("/admin/catalog/review/").content.decode().split('id="content"')[1]
    assert "Plates" in client.get("/admin/catalog/review/?state=returned").content.decode()


def test_a_review_of_a_record_that_is_gone_is_still_shown(
    tree: Tree, client: Client, target: Target, researcher: User, steward: User
) -> None:
    review = reviews.send(target, researcher)
    target.path.unlink()
    index.refresh([target.path])
    client.force_login(steward)
    assert b"not there any more" in client.get(f"/admin/catalog/review/{review.pk}/change/").content
    assert client.get("/admin/catalog/review/").status_code == 200
