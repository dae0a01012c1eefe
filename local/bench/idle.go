package bench

import "fmt"

// watched says from where endpoints are probed, and how Route 53 counts them.
type watched struct {
	places float64 // for each check; 0: as deployed
	aws    bool    // as endpoints of AWS
}

// idleFigures are what a month without a request costs.
func idleFigures(p prices, stack previewed) ([]Figure, float64, error) {
	of := fmt.Sprintf("idle a month, %d regions", stack.regions)
	all := idleBill(p, stack, watched{})
	figures, err := all.figures(of)
	last := len(figures) - 1
	for _, other := range []struct {
		how string
		watched
	}{
		{"if Route 53 counts endpoints as AWS's", watched{aws: true}},
		{"probed from three places", watched{places: fewestPlaces}},
		{"probed from three places, if Route 53 counts endpoints as AWS's", watched{places: fewestPlaces, aws: true}},
	} {
		figures = append(figures, figure(starred(of+", "+other.how+": all", true), "$", idleBill(p, stack, other.watched).total()).over(all.total()))
	}
	for i := last; i < len(figures) && stack.regions == 2; i++ {
		figures[i] = figures[i].atMost(idleTarget)
	}
	return figures, all.total(), err
}

const checkToken = "aws:route53/healthCheck:HealthCheck"

// idleBill is what a month costs. Route 53 asks for each option of a check: HTTPS
// is one, a string another.
func idleBill(p prices, stack previewed, w watched) *bill {
	b := newBill(p)
	check, option := "healthCheck", "healthCheckOption"
	if w.aws {
		check, option = "healthCheckAWS", "healthCheckAWSOption"
	}
	plain, matching := float64(count(stack.made, checkToken, "HTTPS")), float64(count(stack.made, checkToken, "HTTPS_STR_MATCH"))
	b.add("health checks", check, plain+matching)
	b.add("health checks", option, plain+2*matching)
	b.add("health checks", "healthCheckAWS", float64(count(stack.made, checkToken, "CALCULATED")))
	probes := probePlaces(stack.made, w.places) / allPlaces * probesPerSecond * monthSeconds
	b.add("probes at API Gateway", "apiGatewayRequest", probes)
	b.add("probes at Lambda", "lambdaRequest", probes)
	b.add("probes at Lambda", "lambdaSecond", probes*healthSeconds*healthGB)
	b.add("probes at DynamoDB", "dynamodbRead", probes/2)
	b.add("alarms", "alarmMetric", float64(alarmMetrics(stack.made)))
	b.add("dashboard", "dashboard", float64(count(stack.made, "aws:cloudwatch/dashboard:Dashboard")))
	b.add("keys", "kmsKey", float64(count(stack.made, "aws:kms/key:Key")))
	b.add("hosted zone", "hostedZone", 1)
	return b
}

// probePlaces are the places that endpoints are probed from, added up over their
// checks: those that a check names, or all; or so many for each.
func probePlaces(all []made, each float64) (places float64) {
	for _, m := range all {
		if m.token != checkToken || m.inputs["type"] == "CALCULATED" {
			continue
		}
		named, _ := m.inputs["regions"].([]any)
		switch {
		case each > 0:
			places += each
		case len(named) > 0:
			places += float64(len(named))
		default:
			places += allPlaces
		}
	}
	return places
}

// alarmMetrics are what alarms are billed by.
func alarmMetrics(all []made) int {
	n := 0
	for _, m := range all {
		if m.token != "aws:cloudwatch/metricAlarm:MetricAlarm" {
			continue
		}
		queries, _ := m.inputs["metricQueries"].([]any)
		own := 0
		for _, q := range queries {
			if query, ok := q.(map[string]any); ok && query["metric"] != nil {
				own++
			}
		}
		n += max(1, own)
	}
	return n
}
