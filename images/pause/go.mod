module perennial.dev/images/pause

go 1.26.3
