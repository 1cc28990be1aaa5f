module bench/netem

go 1.21
