from flights_demo.news import Event, Sight, news


def resource(digest="sha256:1", drift="NoDrift", quality="AsEvaluated", **monitoring):
    def condition(type_, reason, calm):
        return {"type": type_, "status": "False" if reason == calm else "True", "reason": reason}

    return {
        "status": {
            "stable": {"name": digest[-1:] + "-rev", "digest": digest},
            "conditions": [
                condition("DriftDetected", drift, "NoDrift"),
                condition("QualityDropped", quality, "AsEvaluated"),
            ],
            "monitoring": monitoring,
        }
    }


def run(name="delays-1", status="Unknown", reason="Training", message="", trigger="Drift"):
    return {
        "metadata": {"name": name},
        "spec": {"trigger": {"type": trigger}},
        "status": {
            "conditions": [
                {"type": "Judged", "status": "Unknown", "reason": "NotReached"},
                {"type": "Succeeded", "status": status, "reason": reason},
            ],
            "message": message,
        },
    }


def seen(*runs, **changes):
    return Sight.of(resource(**changes), list(runs))


def test_a_state_has_the_numbers_of_the_last_window():
    sight = seen(
        run(),
        drift="InputAndPredictionDrift",
        quality="QualityDrop",
    )
    assert sight.conditions["DriftDetected"] == ("True", "InputAndPredictionDrift")
    assert sight.running == "delays-1 Training"
    numbers = Sight.of(
        {
            "status": {
                "monitoring": {
                    "drift": {"features": [{"name": "temp", "psiPermille": 1200}]},
                    "quality": {"valuePermille": 880, "baselinePermille": 905},
                }
            }
        },
        [],
    )
    assert (numbers.psi, numbers.quality) == ({"temp": 1200}, (880, 905))


def test_a_resource_without_a_status_is_read():
    sight = Sight.of({}, [{"metadata": {"name": "a"}, "spec": {}}])
    assert sight.revision == sight.digest == ""
    assert sight.runs == {"a": ("Manual", "Unknown", "", "")}


def test_equal_states_have_no_events():
    assert news(seen(run()), seen(run(reason="Judging"))) == []


def test_drift_and_a_drop_are_reported_once_and_a_warning_about_inputs_is_not():
    calm, warned = seen(), seen(drift="InputDrift")
    acting = seen(drift="InputAndPredictionDrift", quality="QualityDrop")
    assert news(calm, warned) == []
    assert news(warned, acting) == [
        Event("drift", "InputAndPredictionDrift"),
        Event("quality", "QualityDrop"),
    ]
    assert news(acting, acting) == []


def test_a_run_is_reported_at_its_start_and_its_end():
    going = seen(run())
    accepted = seen(run(status="True", reason="Accepted", message="better"))
    rejected = seen(run(status="True", reason="Rejected", message="worse"))
    failed = seen(run(status="False", reason="NoLabels", message="none"))
    assert news(seen(), going) == [Event("started", "delays-1 by Drift")]
    assert news(going, accepted) == [Event("accepted", "delays-1: better")]
    assert news(going, rejected) == [Event("rejected", "delays-1: worse")]
    assert news(going, failed) == [Event("failed", "delays-1: none")]


def test_a_run_that_started_and_ended_between_two_states_has_both_events():
    told = news(seen(), seen(run(status="True", reason="Accepted")))
    assert [event.kind for event in told] == ["started", "accepted"]


def test_another_model_that_serves_is_a_promotion_but_the_first_one_is_not():
    assert news(Sight(), seen()) == []
    assert news(seen(), seen(digest="sha256:2")) == [Event("promoted", "revision 2-rev")]
