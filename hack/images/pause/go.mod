module perennial.dev/hack/images/pause

go 1.26.3
