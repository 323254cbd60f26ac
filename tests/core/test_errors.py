"""Whatever goes wrong, the answer is the published error body."""


def test_unknown_route(api):
    answer = api.get("/v1/nonsense")

    assert answer.status_code == 404
    assert answer.json()["key"] == "not_found"
